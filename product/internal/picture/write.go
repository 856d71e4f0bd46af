package picture

import (
	"bytes"
	"encoding/xml"
)

// write writes n and what is in it. Names and values are of the rules' letters
// or are escaped. A bytes.Buffer takes whatever it is given.
func write(to *bytes.Buffer, n *node, root bool) {
	to.WriteString("<" + n.name)
	if root {
		to.WriteString(` xmlns="` + spaceSVG + `"`)
	}
	for _, a := range n.attrs {
		to.WriteString(" " + a[0] + `="`)
		_ = xml.EscapeText(to, []byte(a[1]))
		to.WriteString(`"`)
	}
	if len(n.text) == 0 && len(n.children) == 0 {
		to.WriteString("/>")
		return
	}
	to.WriteString(">")
	_ = xml.EscapeText(to, n.text)
	for _, child := range n.children {
		write(to, child, false)
	}
	to.WriteString("</" + n.name + ">")
}

package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// The limits of a drawing. Drawn counts an element again for each time that
// another refers to it, as a renderer does: a kilobyte of nested use elements
// would have it draw billions ("billion laughs").
const (
	maxDepth    = 32
	maxElements = 10_000
	maxDrawn    = 50_000
)

// node is an element of a drawing that keeps every rule.
type node struct {
	name     string
	attrs    [][2]string // name and value, in the order of the upload
	refers   []string    // ids that the attributes refer to
	text     []byte      // of a title or desc
	children []*node
	line     int
}

// parser reads one drawing.
type parser struct {
	tokens               *xml.Decoder
	elements, attributes map[string]bool // the rules
	count                int
	byID                 map[string]*node
}

// cleanSVG reads the drawing into nodes, refusing whatever the rules do not name,
// and writes those. It checks, in this order:
//   - that it is UTF-8 and well-formed XML with one root, svg, in SVG's namespace
//   - that there is no DOCTYPE, hence no entity, and no processing instruction
//   - that each element and attribute is one of the rules', each attribute once,
//     each value of its form, with no reference but to an id in the drawing
//   - that text stands in title and desc only
//   - that ids are unique, references lead somewhere and never in a circle
//   - that depth, elements, and elements drawn by reference stay below the limits
//   - that the root has a viewBox, without which the site cannot scale it
func cleanSVG(upload []byte) ([]byte, error) {
	if !utf8.Valid(upload) {
		return nil, refuse("must be UTF-8")
	}
	upload = bytes.TrimPrefix(upload, []byte("\ufeff"))
	p := parser{
		tokens: xml.NewDecoder(bytes.NewReader(upload)), elements: elements(), attributes: attributes(),
		byID: map[string]*node{},
	}
	root, err := p.document()
	if err != nil {
		return nil, err
	}
	if err := p.checkReferences(root); err != nil {
		return nil, err
	}
	var kept bytes.Buffer
	write(&kept, root, true)
	return kept.Bytes(), nil
}

// document reads the root element and that nothing but comments and blanks is
// around it.
func (p *parser) document() (*node, error) {
	var root *node
	for {
		start := p.tokens.InputOffset()
		token, err := p.next()
		switch {
		case errors.Is(err, io.EOF) && root != nil:
			return root, nil
		case errors.Is(err, io.EOF):
			return nil, p.refuse("must have a root element")
		case err != nil:
			return nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if root != nil || token.Name != (xml.Name{Space: spaceSVG, Local: "svg"}) {
				return nil, p.refuse("must have one root element, svg of the namespace %s", spaceSVG)
			}
			if root, err = p.element(token, 1); err != nil {
				return nil, err
			}
		case xml.ProcInst:
			if start != 0 || token.Target != "xml" {
				return nil, p.refuse("must not have the processing instruction %.40q", token.Target)
			}
		case xml.CharData:
			if strings.TrimSpace(string(token)) != "" {
				return nil, p.refuse("must not have text outside of its root element")
			}
		}
	}
}

// next is the next token that is neither a comment nor refused as such.
func (p *parser) next() (xml.Token, error) {
	for {
		token, err := p.tokens.Token()
		switch {
		case errors.Is(err, io.EOF):
			return nil, err
		case err != nil:
			return nil, p.refuse("is not well-formed XML in UTF-8")
		}
		switch token.(type) {
		case xml.Directive:
			return nil, p.refuse("must not have a DOCTYPE or other declaration")
		case xml.Comment:
		default:
			return token, nil
		}
	}
}

// element reads an element to its end.
func (p *parser) element(start xml.StartElement, depth int) (*node, error) {
	n := &node{name: start.Name.Local}
	n.line, _ = p.tokens.InputPos()
	p.count++
	switch {
	case depth > 1 && (start.Name.Space != spaceSVG || !p.elements[n.name]):
		return nil, p.refuse("must not have the element %.40q", n.name)
	case depth > maxDepth:
		return nil, p.refuse("must not nest elements deeper than %d", maxDepth)
	case p.count > maxElements:
		return nil, p.refuse("must not have more than %d elements", maxElements)
	}
	if err := p.keep(n, start.Attr); err != nil {
		return nil, err
	}
	return n, p.content(n, depth)
}

// content reads what is between an element's tags.
func (p *parser) content(n *node, depth int) error {
	prose := n.name == "title" || n.name == "desc"
	for {
		token, err := p.next()
		if err != nil { // at the end of the file the decoder complains of the open tag
			return err
		}
		switch token := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if prose {
				return p.refuse("must have nothing but text in %s", n.name)
			}
			child, err := p.element(token, depth+1)
			if err != nil {
				return err
			}
			n.children = append(n.children, child)
		case xml.CharData:
			if prose {
				n.text = append(n.text, token...)
			} else if strings.TrimSpace(string(token)) != "" {
				return p.refuse("must not have text in the element %s", n.name)
			}
		case xml.ProcInst:
			return p.refuse("must not have the processing instruction %.40q", token.Target)
		}
	}
}

// keep checks an element's attributes and keeps them, but for declarations
// of namespaces: the only one left is the root's.
func (p *parser) keep(n *node, attrs []xml.Attr) error {
	seen := map[string]bool{}
	for _, a := range attrs {
		name := nameOf(a.Name)
		if name == "" {
			continue
		}
		text := strings.Map(blank, a.Value)
		target, ok := check(name, text)
		switch {
		case !p.attributes[name]:
			return p.refuse("must not have the attribute %.40q", a.Name.Local)
		case seen[name]:
			return p.refuse("must not have the attribute %s twice in one element", name)
		case !ok:
			return p.refuse("must not have the attribute %s with the value %.60q", name, a.Value)
		case name == "id" && p.byID[text] != nil:
			return p.refuse("must not have the id %.40q twice", text)
		case name == "id":
			p.byID[text] = n
		case target != "":
			n.refers = append(n.refers, target)
		}
		seen[name] = true
		n.attrs = append(n.attrs, [2]string{name, text})
	}
	if n.name == "svg" && !seen["viewBox"] {
		return p.refuse("must have a viewBox, which says how large the drawing is")
	}
	return nil
}

// nameOf is the name to keep an attribute under, "" for one to leave out.
func nameOf(n xml.Name) string {
	switch {
	case n.Space == "" && n.Local != "xmlns":
		return n.Local
	case n.Space == spaceXLink && n.Local == "href":
		return n.Local
	case n.Space == "", n.Space == "xmlns", n.Space == spaceXML && (n.Local == "space" || n.Local == "lang"):
		return ""
	default:
		return n.Space + ":" + n.Local // which no rule has
	}
}

// blank makes line breaks and tabs blanks, as XML does with those in attributes
// that are not escaped.
func blank(c rune) rune {
	if c == '\n' || c == '\r' || c == '\t' {
		return ' '
	}
	return c
}

// refuse is refuse with the line that was read last.
func (p *parser) refuse(format string, args ...any) error {
	line, _ := p.tokens.InputPos()
	return refuse(format+" (line %d)", append(args, line)...)
}

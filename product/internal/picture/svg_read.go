package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
)

// declared finds the encoding in an XML declaration.
var declared = regexp.MustCompile(`^<\?xml[^>]*\sencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// decode makes UTF-8 of an upload, by its first bytes or else by its XML
// declaration.
func decode(upload []byte) ([]byte, error) {
	label := "utf-8"
	switch m := declared.FindSubmatch(upload[:min(len(upload), 200)]); {
	case bytes.HasPrefix(upload, []byte("\xff\xfe")):
		label = "utf-16le"
	case bytes.HasPrefix(upload, []byte("\xfe\xff")):
		label = "utf-16be"
	case m != nil:
		label = string(m[1])
	}
	encoding, name := charset.Lookup(label)
	if encoding == nil {
		return nil, refuse("is in the encoding %.40q. Save it as UTF-8", label)
	}
	if name != "utf-8" {
		var err error
		if upload, err = encoding.NewDecoder().Bytes(upload); err != nil {
			return nil, refuse(badXML)
		}
	}
	if !utf8.Valid(upload) {
		return nil, refuse("is in an encoding that it does not name. Save it as UTF-8")
	}
	return bytes.TrimPrefix(upload, []byte("\ufeff")), nil
}

// reader makes the tree of a drawing's elements from its tokens.
type reader struct {
	*drawing

	open     *element // the innermost that is not left out
	depth    int
	skipped  int // how many of those that are open are left out
	entities map[string]string
	mentions int // of entities, at most
}

// read makes the tree of SVG's elements. What is of another namespace is left
// out, unless it acts.
func (d *drawing) read(text []byte) error {
	tokens := xml.NewDecoder(bytes.NewReader(text))
	tokens.CharsetReader = func(_ string, decoded io.Reader) (io.Reader, error) { return decoded, nil }
	tokens.DefaultSpace = spaceSVG // as where a page embeds the drawing
	tokens.Entity = map[string]string{}
	for r := (reader{drawing: d, entities: tokens.Entity, mentions: bytes.Count(text, []byte("&"))}); ; {
		token, err := tokens.Token()
		switch {
		case errors.Is(err, io.EOF) && d.root != nil:
			return nil
		case errors.Is(err, io.EOF):
			return refuse(noDrawing)
		case err != nil && len(d.reasons) > 0: // by which it is not well-formed, perhaps
			return d.refusal()
		case err != nil:
			line, _ := tokens.InputPos()
			return refuse(badXML+" (line %d)", line)
		}
		if err := r.take(token); err != nil {
			return err
		}
	}
}

func (r *reader) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		return r.begin(token)
	case xml.EndElement:
		r.end()
	case xml.CharData:
		return r.takeText(token)
	case xml.Directive:
		r.declare(token)
	case xml.ProcInst:
		if !slices.Contains(instructions, token.Target) {
			r.refuse(reachesOut)
		}
	}
	return nil
}

var (
	// subset is a DOCTYPE that declares plain texts, which Illustrator has for namespaces, or prefixes of them.
	subset = regexp.MustCompile(`^DOCTYPE[^\[]*(?:\[(?:\s|` + entity.String() +
		`|<!ATTLIST\s+svg\s+xmlns:\w+\s+CDATA\s+#FIXED\s+"[^"&%<>]*"\s*>)*\]\s*)?$`)
	entity = regexp.MustCompile(`<!ENTITY\s+([\w.-]+)\s+["']([^"'&%<>]*)["']\s*>`)
)

// declare takes the entities of a DOCTYPE. No text that one stands for is read as XML. All together they do not make
// the drawing larger than an upload may be.
func (r *reader) declare(doctype []byte) {
	if r.depth > 0 || r.root != nil || len(r.entities) > 0 || !subset.Match(doctype) {
		r.refuse(hasEntities)
		return
	}
	for _, m := range entity.FindAllSubmatch(doctype, -1) {
		if r.entities[string(m[1])] = string(m[2]); len(m[2])*r.mentions > MaxUpload {
			r.refuse(tooComplex)
			clear(r.entities)
			return
		}
	}
}

func (r *reader) begin(start xml.StartElement) error {
	r.depth++
	isRoot := start.Name == xml.Name{Space: spaceSVG, Local: "svg"}
	e := r.enter(start)
	switch {
	case r.depth == 1 && (r.root != nil || !isRoot):
		return refuse(noDrawing)
	case r.depth > maxDepth, r.elements > maxElements:
		return refuse(tooComplex)
	case e == nil:
		r.skipped++
		return nil
	case r.root == nil:
		r.root = e
	default:
		e.parent = r.open
		r.open.children = append(r.open.children, e)
	}
	r.open = e
	return nil
}

func (r *reader) end() {
	r.depth--
	if r.skipped > 0 {
		r.skipped--
		return
	}
	if r.open.name == "style" {
		r.css.Write(append(r.open.text, '\n'))
	}
	r.open = r.open.parent
}

func (r *reader) takeText(text xml.CharData) error {
	switch {
	case r.depth == 0 && len(bytes.TrimSpace(text)) > 0:
		return refuse(noDrawing)
	case r.depth > 0 && r.skipped == 0:
		r.open.text = append(r.open.text, text...)
	}
	return nil
}

// enter is the element that begins, nil for one to leave out with all that is in
// it.
func (r *reader) enter(start xml.StartElement) *element {
	switch {
	case slices.Contains(acting, strings.ToLower(start.Name.Local)):
		r.refuse(hasScript)
		return nil
	case start.Name.Space == spaceXHTML:
		r.refuse(hasHTML)
		return nil
	case start.Name.Space != spaceSVG || r.skipped > 0:
		return nil
	}
	r.elements++
	e := &element{name: start.Name.Local}
	seen := map[xml.Name]bool{}
	for _, a := range start.Attr {
		name, value := a.Name.Local, blanks.Replace(a.Value)
		switch {
		case seen[a.Name]:
			r.refuse(badXML)
		case a.Name.Space == "" || a.Name.Space == spaceSVG:
			if name == "requiredExtensions" && strings.HasPrefix(value, "http://ns.adobe.com/") {
				return nil // no browser has them
			}
			r.enterAttribute(e, name, value)
		case (a.Name.Space == spaceXLink || a.Name.Space == "xlink") && name == "href" && e.attr("href") == "":
			e.set(name, value)
		case a.Name.Space == spaceXML && name == "base":
			r.refuse(reachesOut)
		}
		seen[a.Name] = true
	}
	return e
}

// enterAttribute takes an attribute that the rules name or that is needed to read
// the drawing, and refuses one that may act.
func (r *reader) enterAttribute(e *element, name, value string) {
	switch {
	case strings.HasPrefix(strings.ToLower(name), "on"):
		r.refuse(hasScript)
	case name == "src":
		r.refuse(reachesOut)
	case attributes[name], properties[name], name == "style", name == "class":
		e.set(name, value)
	}
}

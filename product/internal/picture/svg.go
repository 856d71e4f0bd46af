package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"slices"
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

// element is what the references are checked with, once all is read.
type element struct {
	name     xml.Name
	refersTo []string // ids
	children []*element
	line     int
	drawn    int // how many elements it stands for; 0 is not counted yet
}

// isProse reports whether the element holds text, and nothing else.
func (e *element) isProse() bool { return e.name.Local == "title" || e.name.Local == "desc" }

// cleaner reads one drawing and writes what it keeps.
type cleaner struct {
	tokens   *xml.Decoder
	kept     *xml.Encoder
	root     *element
	open     []*element // those without their end so far, the root first
	elements int
	byID     map[string]*element
}

// cleanSVG copies the drawing, refusing whatever the rules do not name. It checks:
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
	var kept bytes.Buffer
	c := cleaner{
		tokens: xml.NewDecoder(bytes.NewReader(upload)), kept: xml.NewEncoder(&kept), byID: map[string]*element{},
	}
	if err := c.copyAll(); err != nil {
		return nil, err
	}
	drawn, err := c.countDrawn(c.root)
	if err == nil && drawn > maxDrawn {
		err = refuse("must not draw more than %d elements by reference", maxDrawn)
	}
	return kept.Bytes(), err
}

// copyAll copies token by token. The decoder sees to it that each tag is closed.
func (c *cleaner) copyAll() error {
	for {
		start := c.tokens.InputOffset()
		token, err := c.tokens.Token()
		switch {
		case errors.Is(err, io.EOF) && c.root == nil:
			return c.refuse("must have a root element")
		case errors.Is(err, io.EOF):
			return c.kept.Close()
		case err != nil:
			return c.refuse("is not well-formed XML in UTF-8")
		}
		switch token := token.(type) {
		case xml.StartElement:
			err = c.copyStart(token)
		case xml.CharData:
			err = c.copyText(token)
		case xml.EndElement:
			last := len(c.open) - 1
			err = c.kept.EncodeToken(xml.EndElement{Name: c.open[last].name})
			c.open = c.open[:last]
		case xml.Directive:
			err = c.refuse("must not have a DOCTYPE or other declaration")
		case xml.ProcInst:
			if start != 0 || token.Target != "xml" {
				err = c.refuse("must not have the processing instruction %.40q", token.Target)
			}
		}
		if err != nil {
			return err
		}
	}
}

func (c *cleaner) copyStart(start xml.StartElement) error {
	e := &element{name: xml.Name{Local: start.Name.Local}} // the root's namespace is everybody's
	e.line, _ = c.tokens.InputPos()
	c.elements++
	switch depth := len(c.open); {
	case depth == 0 && (c.root != nil || start.Name != xml.Name{Space: spaceSVG, Local: "svg"}):
		return c.refuse("must have one root element, svg of the namespace %s", spaceSVG)
	case depth == 0:
		c.root, e.name = e, start.Name
	case c.open[depth-1].isProse():
		return c.refuse("must have nothing but text in %s", c.open[depth-1].name.Local)
	case start.Name.Space != spaceSVG || !slices.Contains(elements, e.name.Local):
		return c.refuse("must not have the element %.40q", e.name.Local)
	case depth == maxDepth:
		return c.refuse("must not nest elements deeper than %d", maxDepth)
	case c.elements > maxElements:
		return c.refuse("must not have more than %d elements", maxElements)
	default:
		c.open[depth-1].children = append(c.open[depth-1].children, e)
	}
	attrs, err := c.keepAttributes(e, start.Attr)
	if err != nil {
		return err
	}
	c.open = append(c.open, e)
	return c.kept.EncodeToken(xml.StartElement{Name: e.name, Attr: attrs})
}

// keepAttributes checks an element's attributes and returns them, but for
// declarations of namespaces: the only one left is the root's.
func (c *cleaner) keepAttributes(e *element, attrs []xml.Attr) (kept []xml.Attr, err error) {
	seen := map[string]bool{}
	for _, a := range attrs {
		name := nameOf(a.Name)
		if name == "" {
			continue
		}
		text := blanks.Replace(a.Value)
		target, ok := check(name, text)
		switch {
		case !slices.Contains(attributes, name):
			return nil, c.refuse("must not have the attribute %.40q", a.Name.Local)
		case seen[name]:
			return nil, c.refuse("must not have the attribute %s twice in one element", name)
		case !ok:
			return nil, c.refuse("must not have the attribute %s with the value %.60q", name, a.Value)
		case name == "id" && c.byID[text] != nil:
			return nil, c.refuse("must not have the id %.40q twice", text)
		case name == "id":
			c.byID[text] = e
		case target != "":
			e.refersTo = append(e.refersTo, target)
		}
		seen[name] = true
		kept = append(kept, xml.Attr{Name: xml.Name{Local: name}, Value: text})
	}
	if e == c.root && !seen["viewBox"] {
		return nil, c.refuse("must have a viewBox, which says how large the drawing is")
	}
	return kept, nil
}

// copyText keeps prose. Blanks between elements are left out.
func (c *cleaner) copyText(text xml.CharData) error {
	switch depth := len(c.open); {
	case depth > 0 && c.open[depth-1].isProse():
		return c.kept.EncodeToken(text)
	case len(bytes.TrimSpace(text)) == 0:
		return nil
	case depth == 0:
		return c.refuse("must not have text outside of its root element")
	default:
		return c.refuse("must not have text in the element %s", c.open[depth-1].name.Local)
	}
}

// countDrawn is how many elements e stands for: itself, its children and all that
// it refers to, but no more than one over the limit. It follows every reference
// once.
func (c *cleaner) countDrawn(e *element) (int, error) {
	const counting = -1
	switch {
	case e.drawn == counting:
		return 0, refuse("must not refer in a circle (line %d)", e.line)
	case e.drawn > 0:
		return e.drawn, nil
	}
	e.drawn = counting
	for _, id := range e.refersTo {
		target := c.byID[id]
		if target == nil {
			return 0, refuse("must not refer to %.40q, which is not in it (line %d)", "#"+id, e.line)
		}
		e.children = append(e.children, target)
	}
	total := 1
	for _, other := range e.children {
		drawn, err := c.countDrawn(other)
		if err != nil {
			return 0, err
		}
		total = min(total+drawn, maxDrawn+1)
	}
	e.drawn = total
	return total, nil
}

// refuse is refuse with the line that was read last.
func (c *cleaner) refuse(format string, args ...any) error {
	line, _ := c.tokens.InputPos()
	return refuse(format+" (line %d)", append(args, line)...)
}

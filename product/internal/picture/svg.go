package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"slices"
	"strings"

	"craftista/shared/fault"
)

// The limits of a drawing. Drawn counts an element again for each time that
// another refers to it, as a renderer does: a kilobyte of nested use elements
// would have it draw billions ("billion laughs").
const (
	maxDepth    = 64
	maxElements = 10_000
	maxDrawn    = 50_000
	filtering   = 100 // elements that a step of a filter counts as
)

type attribute = xml.Attr // with a plain name

// element is one of SVG's in a drawing.
type element struct {
	name     string
	attrs    []attribute
	text     []byte // what stands in it, without what stands in its children
	children []*element
	parent   *element
	classes  map[string]bool // once it is styled
	refersTo []string        // ids
	drawn    int             // how many elements it stands for; 0 is not counted yet
}

// drawing is an upload while it is made harmless.
type drawing struct {
	root       *element
	elements   int
	css        strings.Builder // what stands in style elements
	background string          // of the root, by CSS
	byID       map[string]*element
	reasons    []string // why it is refused, each once
}

// cleanSVG writes the drawing anew with what the rules name, and leaves out what
// makes no difference. It refuses, and says all that there is to say:
//   - what is no well-formed XML with one root, svg, in SVG's namespace or in none
//   - declarations of its own, but for plain texts, and style sheets of others
//   - what acts (script, event handlers, animation), links, or refers to anything
//     but an id in the drawing, in attributes and in CSS
//   - text, images, HTML and any other element that the rules do not name
//   - references in a circle
//   - more depth, elements, styles, or elements drawn by reference than the limits
//   - a root without a size
//
// Styles become attributes, so none is left in which to hide anything, but for
// the two properties that have no attribute.
func cleanSVG(upload []byte) ([]byte, error) {
	text, err := decode(upload)
	if err != nil {
		return nil, err
	}
	d := drawing{byID: map[string]*element{}}
	if err := d.read(text); err != nil {
		return nil, err
	}
	d.style()
	d.keep(d.root)
	used := map[string]bool{}
	d.resolve(d.root, used)
	d.root.forget(used)
	if d.count(d.root) > maxDrawn {
		d.refuse(tooMuchDrawn)
	}
	if err := d.refusal(); err != nil {
		return nil, err
	}
	var kept bytes.Buffer
	encoder := xml.NewEncoder(&kept)
	err = errors.Join(d.root.encode(encoder, spaceSVG), encoder.Close())
	return kept.Bytes(), err
}

// refuse notes a reason.
func (d *drawing) refuse(reason string) {
	if !slices.Contains(d.reasons, reason) && len(d.reasons) < maxReasons {
		d.reasons = append(d.reasons, reason)
	}
}

// refusal is the fault with all reasons, nil if there is none.
func (d *drawing) refusal() error {
	var broken fault.Checks
	for _, reason := range d.reasons {
		broken.Require(false, "image", reason)
	}
	return broken.Err()
}

// attr is the value of an attribute, "" if there is none.
func (e *element) attr(name string) string {
	for _, a := range e.attrs {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// set gives an attribute a value.
func (e *element) set(name, value string) {
	for i, a := range e.attrs {
		if a.Name.Local == name {
			e.attrs[i].Value = value
			return
		}
	}
	e.attrs = append(e.attrs, xml.Attr{Name: xml.Name{Local: name}, Value: value})
}

// encode writes the element and what is in it. The root's namespace is everybody's.
func (e *element) encode(to *xml.Encoder, space string) error {
	name := xml.Name{Space: space, Local: e.name}
	err := to.EncodeToken(xml.StartElement{Name: name, Attr: e.attrs})
	if len(e.text) > 0 {
		err = errors.Join(err, to.EncodeToken(xml.CharData(e.text)))
	}
	for _, child := range e.children {
		err = errors.Join(err, child.encode(to, ""))
	}
	return errors.Join(err, to.EncodeToken(xml.EndElement{Name: name}))
}

package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// keep leaves in the element what the rules name. What they neither name nor let
// pass is a reason to refuse the drawing.
func (d *drawing) keep(e *element) {
	d.keepAttributes(e)
	switch {
	case e.name == "title" || e.name == "desc":
		e.children = nil
		return
	case e == d.root:
		d.keepSize()
	}
	e.text = nil
	e.children = slices.DeleteFunc(e.children, func(child *element) bool { return !d.keeps(child) })
	for _, child := range e.children {
		d.keep(child)
	}
}

// keeps reports whether an element stays.
func (d *drawing) keeps(e *element) bool {
	switch {
	case e.name == "switch": // of which the first that can be drawn is drawn
		e.name = "g"
		if i := slices.IndexFunc(e.children, d.keeps); i >= 0 {
			e.children = e.children[i : i+1]
		}
		return true
	case e.name == "a" && e.attr("href") == "":
		e.name = "g"
		return true
	case elements[e.name]:
		return true
	case unseen[e.name], textual[e.name] && !e.hasText(), e.name == "image" && e.attr("href") == "":
		return false
	case textual[e.name]:
		d.refuse(hasText)
	case reasons[e.name] != "":
		d.refuse(reasons[e.name])
	default:
		d.refuse(fmt.Sprintf("contains %.40q, which cannot be shown here", e.name))
	}
	e.attrs = nil
	d.keep(e) // for more reasons
	return false
}

// hasText reports whether there is more than blanks in it.
func (e *element) hasText() bool {
	return len(strings.TrimSpace(string(e.text))) > 0 || slices.ContainsFunc(e.children, (*element).hasText)
}

// keepAttributes leaves the attributes that the rules name, with the values that
// they allow, and notes what they refer to. Of elements with the same id the
// first has it, as in browsers.
func (d *drawing) keepAttributes(e *element) {
	kept := e.attrs[:0]
	for _, a := range e.attrs {
		name := a.Name.Local
		value, _, ok := check(name, a.Value)
		switch {
		case name == "class", name == "id" && d.byID[value] != nil:
		case !ok && name == "href" && value != "":
			d.refuse(reachesOut)
		case !ok && name != "id" && isRisky(value):
			d.refuse(reasonFor(value))
		case ok:
			if name == "id" {
				d.byID[value] = e
			}
			a.Value = value
			kept = append(kept, a)
		}
	}
	e.attrs = kept
}

// reasonFor is why a value is refused.
func reasonFor(value string) string {
	if leaving.MatchString(value) {
		return reachesOut
	}
	return hidesStyle
}

// keepSize sees to it that the root has a viewBox, without which the site cannot
// scale it, and paints its background.
func (d *drawing) keepSize() {
	box := d.root.attr("viewBox")
	width, height := pixels(d.root.attr("width")), pixels(d.root.attr("height"))
	if box == "" && width > 0 && height > 0 {
		box = "0 0 " + decimal(width) + " " + decimal(height)
		d.root.set("viewBox", box)
	}
	if !isBox(box) {
		d.refuse(noSize)
		return
	}
	if d.root.attr("width") == "" || d.root.attr("height") == "" { // one alone would seem to change the ratio
		d.root.attrs = slices.DeleteFunc(d.root.attrs, func(a attribute) bool {
			return a.Name.Local == "width" || a.Name.Local == "height"
		})
	}
	colour, _, ok := check("fill", d.background)
	if !ok || colour == "" || slices.Contains(colourless, strings.ToLower(colour)) || d.elements >= maxElements {
		return
	}
	sheet := &element{name: "rect"}
	for i, at := range strings.FieldsFunc(box, isSeparator) {
		sheet.set([]string{"x", "y", "width", "height"}[i], at)
	}
	sheet.set("fill", colour)
	d.root.children = slices.Insert(d.root.children, 0, sheet)
}

var colourless = strings.Fields("none transparent initial inherit unset")

func decimal(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }

// resolve sees to it that references lead somewhere. Those that do not go, as
// browsers overlook them.
func (d *drawing) resolve(e *element, used map[string]bool) {
	kept := e.attrs[:0]
	for _, a := range e.attrs {
		name := a.Name.Local
		value, target, _ := check(name, a.Value)
		switch _, instead, _ := strings.Cut(value, ") "); {
		case target == "":
		case d.byID[target] != nil:
			e.refersTo = append(e.refersTo, target)
			used[target] = true
		case name == "fill" || name == "stroke":
			a.Value = instead
			if instead == "" {
				a.Value = "none"
			}
		default:
			continue
		}
		if strings.HasPrefix(name, "aria-") {
			for id := range strings.FieldsSeq(value) {
				used[id] = true
			}
		}
		kept = append(kept, a)
	}
	e.attrs = kept
	for _, child := range e.children {
		d.resolve(child, used)
	}
}

// forget drops the ids that nothing refers to.
func (e *element) forget(used map[string]bool) {
	e.attrs = slices.DeleteFunc(e.attrs, func(a attribute) bool { return a.Name.Local == "id" && !used[a.Value] })
	for _, child := range e.children {
		child.forget(used)
	}
}

// count is how many elements e stands for: itself, its children and all that it
// refers to, but no more than one over the limit. It follows every reference once, and those to
// markers as often as there may be corners. A step of a filter, which works on every pixel,
// counts as many.
func (d *drawing) count(e *element) int {
	const counting = -1
	if e.drawn == counting {
		d.refuse(inCircles)
		return 1
	}
	if e.drawn > 0 {
		return e.drawn
	}
	e.drawn = counting
	total := 1
	if strings.HasPrefix(e.name, "fe") {
		total = filtering
	}
	for _, child := range e.children {
		total = min(total+d.count(child), maxDrawn+1)
	}
	for _, id := range e.refersTo {
		times := 1
		if e.attr("marker-mid") == "url(#"+id+")" {
			times = e.corners()
		}
		total = min(total+times*d.count(d.byID[id]), maxDrawn+1)
	}
	e.drawn = total
	return total
}

// corners is how many e and what is in it have at most: one for each two numbers.
func (e *element) corners() int {
	total := len(strings.FieldsFunc(e.attr("d")+" "+e.attr("points"), isNoDigit)) / 2
	for _, child := range e.children {
		total += child.corners()
	}
	return total
}

func isNoDigit(c rune) bool { return c < '0' || c > '9' }

package picture

import (
	"cmp"
	"slices"
	"strings"
)

// maxStyled is how many declarations may be looked at for all elements together.
const maxStyled = 500_000

// style turns what CSS says about the elements into attributes, and drops the CSS.
// It cascades as CSS does: attributes first, rules by their specificity and order,
// then style attributes, and once more what is !important.
func (d *drawing) style() {
	if strings.Contains(d.css.String(), `\`) {
		d.refuse(hidesStyle)
	}
	budget := maxStyled
	d.styleWith(d.rules(d.css.String()), d.root, &budget)
	if budget < 0 {
		d.refuse(oddStyle)
	}
}

func (d *drawing) styleWith(rules map[string][]rule, e *element, budget *int) {
	e.classes = set(e.attr("class"))
	keys := []string{"*", e.name, "#" + e.attr("id")}
	for class := range e.classes {
		keys = append(keys, "."+class)
	}
	var matching []rule
	for _, key := range keys {
		for _, r := range rules[key] {
			if *budget -= len(r.declared) + 1; *budget < 0 {
				return
			}
			if e.matches(r.selector) {
				matching = append(matching, r)
			}
		}
	}
	slices.SortFunc(matching, func(a, b rule) int {
		return cmp.Or(cmp.Compare(a.weight, b.weight), cmp.Compare(a.order, b.order))
	})
	var declared []declaration
	for _, r := range matching {
		declared = append(declared, r.declared...)
	}
	declared = append(declared, d.declarations(e.attr("style"))...)
	slices.SortStableFunc(declared, func(a, b declaration) int {
		switch {
		case a.important == b.important:
			return 0
		case b.important:
			return -1
		default:
			return 1
		}
	})
	d.apply(e, declared)
	for _, child := range e.children {
		d.styleWith(rules, child, budget)
	}
}

// apply makes attributes of declarations; the last one for a property wins. What
// SVG has no attribute for is left out, but for blending.
func (d *drawing) apply(e *element, declared []declaration) {
	e.attrs = slices.DeleteFunc(e.attrs, func(a attribute) bool { return a.Name.Local == "style" })
	blend, isolation := "normal", "auto"
	for _, one := range declared {
		switch property, value := one.property, one.value; {
		case property == "marker":
			for _, end := range []string{"marker-start", "marker-mid", "marker-end"} {
				e.set(end, value)
			}
		case property == "mix-blend-mode":
			blend = value
		case property == "isolation":
			isolation = value
		case strings.HasPrefix(property, "background") && e == d.root:
			d.background = value
		case strings.HasPrefix(property, "animation") && value != "none":
			d.refuse(hasAnimation)
		case property == "transform":
			e.set(property, units.ReplaceAllString(value, "$1"))
		case properties[property] && (e != d.root || property != "width" && property != "height"):
			e.set(property, value)
		}
	}
	var rest []string
	if isolation == "isolate" {
		rest = append(rest, "isolation:isolate")
	}
	if blend != "normal" {
		rest = append(rest, "mix-blend-mode:"+blend)
	}
	if len(rest) > 0 {
		e.set("style", strings.Join(rest, ";"))
	}
}

// matches reports whether the element is one that a selector selects.
func (e *element) matches(selector []compound) bool {
	last := len(selector) - 1
	if !e.is(selector[last]) {
		return false
	}
	selector = selector[:last]
	for above := e.parent; above != nil && len(selector) > 0; above = above.parent {
		if above.is(selector[len(selector)-1]) {
			selector = selector[:len(selector)-1]
		}
	}
	return len(selector) == 0
}

func (e *element) is(c compound) bool {
	if c.name != "" && c.name != e.name || c.id != "" && c.id != e.attr("id") {
		return false
	}
	return !slices.ContainsFunc(c.classes, func(class string) bool { return !e.classes[class] })
}

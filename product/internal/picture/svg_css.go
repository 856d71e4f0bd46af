package picture

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/tdewolff/parse/v2"
	"github.com/tdewolff/parse/v2/css"
)

// declaration is a property's value, from a style attribute or a rule.
type declaration struct {
	property, value string
	important       bool
}

// compound is a selector without combinators, such as path.cls-1.
type compound struct {
	name, id string // "" for any
	classes  []string
}

// rule is one of a style element's, with one selector: for elements that the last
// compound matches below others that match those before it.
type rule struct {
	selector []compound
	weight   int // the selector's specificity
	order    int
	declared []declaration
}

// rules reads a style sheet. They are by what the last compound of their selectors
// needs: an id (#a), a class (.a), a name or nothing (*).
func (d *drawing) rules(sheet string) map[string][]rule {
	all, order := map[string][]rule{}, 0
	p := css.NewParser(parse.NewInputString(sheet), false)
	var selectors [][]compound
	var declared []declaration
	isDark := false
	for {
		switch kind, _, data := p.Next(); {
		case kind == css.ErrorGrammar && !p.HasParseError():
			return all
		case kind == css.BeginAtRuleGrammar && string(data) == "@media" && dark.MatchString(text(p.Values())):
			isDark = true
		case kind == css.EndAtRuleGrammar:
			isDark = false
		case kind == css.AtRuleGrammar, kind == css.BeginAtRuleGrammar:
			d.refuseAtRule(string(data))
		case kind == css.BeginRulesetGrammar:
			selectors, declared = d.selectors(text(p.Values())), nil
		case kind == css.DeclarationGrammar:
			declared = d.declare(declared, string(data), text(p.Values()))
		case kind == css.EndRulesetGrammar && !isDark:
			for _, selector := range selectors {
				r := rule{selector: selector, order: order, declared: declared}
				for _, c := range selector {
					r.weight += c.weight()
				}
				key := selector[len(selector)-1].key()
				all[key] = append(all[key], r)
				order++
			}
			selectors = nil
		}
	}
}

// key is what an element needs for the compound to match.
func (c compound) key() string {
	switch {
	case c.id != "":
		return "#" + c.id
	case len(c.classes) > 0:
		return "." + c.classes[0]
	default:
		return cmp.Or(c.name, "*")
	}
}

// weight is the compound's specificity.
func (c compound) weight() int {
	total := 100 * len(c.classes)
	if c.id != "" {
		total += 10_000
	}
	if c.name != "" {
		total++
	}
	return total
}

// refuseAtRule refuses those that may change how a drawing looks.
func (d *drawing) refuseAtRule(name string) {
	switch name {
	case "@charset", "@namespace", "@font-face":
	case "@import":
		d.refuse(reachesOut)
	case "@keyframes", "@-webkit-keyframes":
		d.refuse(hasAnimation)
	default:
		d.refuse(oddStyle)
	}
}

var (
	simple = regexp.MustCompile(`^(\*|[A-Za-z][\w-]*)?((?:[.#][\pL\pN_-]+)*)$`)

	// passing are the pseudo-classes that no still picture has.
	passing = regexp.MustCompile(`:(?:hover|active|focus|link|visited|target)$`)

	// units are those in CSS's transforms; SVG's have none.
	units = regexp.MustCompile(`([0-9.])(?:px|deg)\b`)

	// dark is the condition of rules for dark pages, which are left out: drawings stand on light paper.
	dark = regexp.MustCompile(`^\s*\(\s*prefers-color-scheme\s*:\s*dark\s*\)\s*$`)

	importance = regexp.MustCompile(`(?i) *! *important *$`)

	// leaving is a value that loads or runs something.
	leaving = regexp.MustCompile(`(?i)url\( *["']? *[^#"' )]|src\(|image\(|image-set\(|expression\(|script:`)
)

// selectors reads a list of selectors, leaving out those that never match.
func (d *drawing) selectors(list string) [][]compound {
	var all [][]compound
	for selector := range strings.SplitSeq(list, ",") {
		var compounds []compound
		for part := range strings.FieldsSeq(selector) {
			m := simple.FindStringSubmatch(part)
			switch {
			case passing.MatchString(part):
				compounds = nil
			case part == ":root":
				compounds = append(compounds, compound{name: "svg"})
				continue
			case m == nil:
				d.refuse(oddStyle)
			}
			if m == nil {
				compounds = nil
				break
			}
			c := compound{name: strings.TrimPrefix(m[1], "*")}
			for _, one := range marks.FindAllString(m[2], -1) {
				if one[0] == '#' {
					c.id = one[1:]
				} else {
					c.classes = append(c.classes, one[1:])
				}
			}
			compounds = append(compounds, c)
		}
		if len(compounds) > 0 {
			all = append(all, compounds)
		}
	}
	return all
}

var marks = regexp.MustCompile(`[.#][^.#]+`)

// declarations reads a style attribute.
func (d *drawing) declarations(style string) []declaration {
	if strings.Contains(style, `\`) {
		d.refuse(hidesStyle)
	}
	var declared []declaration
	for p := css.NewParser(parse.NewInputString(style), true); ; {
		switch kind, _, data := p.Next(); {
		case kind == css.DeclarationGrammar:
			declared = d.declare(declared, string(data), text(p.Values()))
		case kind == css.ErrorGrammar && !p.HasParseError():
			return declared
		}
	}
}

// declare adds a declaration, in place of an earlier one for the property.
func (d *drawing) declare(declared []declaration, property, value string) []declaration {
	one := declaration{property: strings.ToLower(property)}
	one.value = strings.TrimSpace(importance.ReplaceAllString(value, ""))
	one.important = len(one.value) < len(strings.TrimSpace(value))
	if leaving.MatchString(value) || one.property == "behavior" || strings.HasSuffix(one.property, "binding") {
		d.refuse(reachesOut)
	}
	if !properties[one.property] && !styles[one.property] || one.value == "" {
		return declared
	}
	same := func(other declaration) bool {
		return other.property == one.property && other.important == one.important
	}
	return append(slices.DeleteFunc(declared, same), one)
}

// text is what tokens stand for.
func text(tokens []css.Token) string {
	var all strings.Builder
	for _, token := range tokens {
		all.Write(token.Data)
	}
	return all.String()
}

package picture

import (
	"encoding/xml"
	"regexp"
	"strconv"
	"strings"
)

const (
	spaceSVG   = "http://www.w3.org/2000/svg"
	spaceXLink = "http://www.w3.org/1999/xlink"
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
)

// elements are those that a drawing may have in its root svg. None of them runs,
// loads, links or changes anything (compare SVG 2, chapters 15 and 16).
var elements = strings.Fields(`
	g defs symbol use title desc
	path rect circle ellipse line polyline polygon
	linearGradient radialGradient stop clipPath mask`)

// attributes are those that any of the elements may have. style is not among
// them: each property that a drawing needs has its attribute.
var attributes = strings.Fields(`
	id href version role aria-labelledby aria-describedby aria-hidden
	viewBox preserveAspectRatio width height x y x1 y1 x2 y2 cx cy r rx ry fx fy fr d points pathLength
	transform offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits mask-type
	fill fill-opacity fill-rule opacity color display visibility clip-path clip-rule mask
	stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset
	stop-color stop-opacity paint-order vector-effect shape-rendering color-interpolation`)

// blanks makes line breaks and tabs blanks, as XML does with those in attributes
// that are not escaped.
var blanks = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

var (
	identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*$`)
	reference  = regexp.MustCompile(`^#[A-Za-z_][A-Za-z0-9_.-]*$`)

	// value is any attribute that holds no reference. Browsers read many of them as
	// CSS, where quotes, escapes, comments and colons make room for tricks, so none
	// of those characters is in it, and only these functions are.
	value = regexp.MustCompile(`^(?:[A-Za-z0-9#%.,+_ -]|` +
		`\b(?:rgba?|hsla?|matrix|translate|scale|rotate|skewX|skewY) ?\([A-Za-z0-9%.,+ -]*\))*$`)

	// paint is a value that refers to another element, and the colour to use instead.
	paint = regexp.MustCompile(`^url\((#[A-Za-z_][A-Za-z0-9_.-]*)\)(?: [A-Za-z0-9#]+)?$`)
)

// check returns the id that an attribute refers to, "" if to none, and whether
// its value is one to keep. Line breaks and tabs are blanks by now.
func check(name, text string) (target string, ok bool) {
	switch name {
	case "id":
		return "", identifier.MatchString(text)
	case "href":
		return strings.TrimPrefix(text, "#"), reference.MatchString(text)
	case "viewBox":
		return "", isBox(text)
	}
	if m := paint.FindStringSubmatch(text); m != nil {
		return m[1][1:], true
	}
	return "", value.MatchString(text)
}

// isBox reports whether text is four numbers, the last two of them above 0.
func isBox(text string) bool {
	fields := strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ',' })
	if len(fields) != 4 {
		return false
	}
	for i, field := range fields {
		n, err := strconv.ParseFloat(field, 32)
		if err != nil || n-n != 0 || i >= 2 && n <= 0 { // n-n is no number for an infinity
			return false
		}
	}
	return value.MatchString(text)
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

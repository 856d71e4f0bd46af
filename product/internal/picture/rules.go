package picture

import (
	"regexp"
	"strconv"
	"strings"
)

const (
	spaceSVG   = "http://www.w3.org/2000/svg"
	spaceXLink = "http://www.w3.org/1999/xlink"
	spaceXML   = "http://www.w3.org/XML/1998/namespace"
	spaceXHTML = "http://www.w3.org/1999/xhtml"
)

// Why a drawing is refused. Each follows "The file" and says what to do, in the
// words of the programs that people draw with.
const (
	maxReasons = 20

	badXML       = "is damaged: it is not well-formed XML"
	noDrawing    = "is not an SVG drawing, or does not say that it is. In Inkscape: open it and save it again"
	noSize       = "does not say how large it is. In Inkscape: File → Document Properties → Resize to content"
	hasEntities  = "has definitions that only its program needs. In Illustrator: save it without editing capabilities"
	hasScript    = "contains a script. Save it without scripts"
	hasAnimation = "contains an animation. Save it as a still picture"
	hasHTML      = "contains a piece of a web page. In draw.io: turn off Word Wrap and Formatted Text"
	hasText      = "contains text. In Inkscape: Path → Object to Path; in Illustrator: Type → Create Outlines"
	hasImage     = "contains a photo. Remove it, or in Inkscape: Path → Trace Bitmap"
	hasLink      = "contains a link. In Inkscape: right-click it, Remove Link"
	reachesOut   = "refers to something outside of itself. Embed or remove it"
	hidesStyle   = "has styles that cannot be read. In Inkscape: File → Save As → Plain SVG"
	oddStyle     = "has styles that are too elaborate. In Illustrator: save it with Styling: Presentation Attributes"
	inCircles    = "has parts that are drawn from themselves. Save it with its clones unlinked"
	tooComplex   = "is too complex. In Inkscape: Path → Simplify, or upload a PNG"
	tooMuchDrawn = "repeats its parts too often. Upload a PNG"
)

// elements are those that a drawing may have in its root svg. None of them runs,
// loads, links or changes anything (compare SVG 2, chapters 15 and 16).
var elements = set(`
	g defs symbol use title desc svg
	path rect circle ellipse line polyline polygon
	linearGradient radialGradient stop clipPath mask marker pattern
	filter feBlend feColorMatrix feComponentTransfer feComposite feConvolveMatrix feDiffuseLighting feDisplacementMap
	feDistantLight feDropShadow feFlood feFuncA feFuncB feFuncG feFuncR feGaussianBlur feMerge feMergeNode feMorphology
	feOffset fePointLight feSpecularLighting feSpotLight feTile feTurbulence`)

// attributes are those that any of the elements may have, besides properties.
var attributes = set(`
	id href version role aria-labelledby aria-describedby aria-hidden
	viewBox preserveAspectRatio x1 y1 x2 y2 fx fy fr d points pathLength
	offset gradientUnits gradientTransform spreadMethod clipPathUnits maskUnits maskContentUnits
	markerUnits markerWidth markerHeight orient refX refY patternUnits patternContentUnits patternTransform
	filterUnits primitiveUnits in in2 result stdDeviation dx dy mode type values operator k1 k2 k3 k4 radius
	tableValues slope intercept amplitude exponent surfaceScale diffuseConstant specularConstant specularExponent
	kernelUnitLength azimuth elevation z pointsAtX pointsAtY pointsAtZ limitingConeAngle baseFrequency numOctaves seed
	stitchTiles scale xChannelSelector yChannelSelector order kernelMatrix divisor bias targetX targetY edgeMode
	preserveAlpha`)

// properties are the attributes that are properties of CSS, too.
var properties = set(`
	x y width height cx cy r rx ry transform transform-origin font-size overflow mask-type
	fill fill-opacity fill-rule opacity color display visibility clip-path clip-rule mask filter
	stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray stroke-dashoffset
	stop-color stop-opacity flood-color flood-opacity lighting-color marker-start marker-mid marker-end
	paint-order vector-effect shape-rendering color-interpolation color-interpolation-filters`)

// styles are the properties that make a difference and have no attribute.
var styles = set(`marker mix-blend-mode isolation background background-color animation animation-name`)

// Elements that are not kept: what changes nothing in a browser is
// left out, the rest has a reason.
var (
	unseen = set(`
		metadata style font font-face glyph missing-glyph hkern vkern view cursor color-profile solidColor solidcolor
		flowRegion flowRegionExclude midPointStop`)
	reasons = map[string]string{
		"foreignObject": hasHTML, "image": hasImage, "feImage": hasImage, "a": hasLink,
		"animate": hasAnimation, "animateMotion": hasAnimation, "animateTransform": hasAnimation,
		"animateColor": hasAnimation, "set": hasAnimation,
	}
	textual = set(`text tspan tref textPath altGlyph flowRoot flowPara flowSpan flowDiv flowLine`)

	// acting are those that run something, of whatever namespace.
	acting = strings.Fields(`script handler listener iframe object embed`)

	// instructions are the processing instructions that say nothing about the drawing.
	instructions = strings.Fields(`xml xpacket adobe-xap-filters`)
)

func set(names string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(names) {
		all[name] = true
	}
	return all
}

// blanks makes line breaks and tabs blanks, as XML does with those in attributes
// that are not escaped.
var blanks = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

const anID = `#[\pL\pN_.:=-]+`

var (
	identifier = regexp.MustCompile(`^[\pL\pN_.:=-]+$`)
	reference  = regexp.MustCompile(`^` + anID + `$`)

	// value is any attribute that holds no reference. Browsers read many of them as
	// CSS, where quotes, escapes, comments and colons make room for tricks, so none
	// of those characters is in it, and only these functions are.
	value = regexp.MustCompile(`^(?:[A-Za-z0-9#%.,+_ -]|` +
		`\b(?:rgba?|hsla?|matrix|translate|scale|rotate|skewX|skewY) ?\([A-Za-z0-9%.,+ -]*\))*$`)

	// paint is a value that refers to another element, and the colour to use instead.
	paint = regexp.MustCompile(`^url\( *["']?(` + anID + `)["']? *\)( [A-Za-z0-9#]+)?$`)

	// twoColours is a colour for light pages, and another for dark ones.
	twoColours = regexp.MustCompile(`^light-dark\( *((?:[^(),]|\([^()]*\))+?) *,.*\)$`)

	// compositing are the properties that have no attribute, as they are written.
	compositing = regexp.MustCompile(`^(?:isolation:isolate;)?mix-blend-mode:[a-z-]+$|^isolation:isolate$`)
)

// check returns the value to keep for an attribute and the id that it refers to,
// "" if to none. It is not ok where the value is none to keep.
func check(name, text string) (kept, target string, ok bool) {
	if m := twoColours.FindStringSubmatch(text); m != nil {
		text = m[1]
	}
	switch name {
	case "id":
		return text, "", identifier.MatchString(text)
	case "href":
		return text, strings.TrimPrefix(text, "#"), reference.MatchString(text)
	case "style":
		return text, "", compositing.MatchString(text)
	case "numOctaves": // each has half the contrast of the one before, so that no more show
		if n, err := strconv.ParseFloat(text, 32); err != nil || n > 9 {
			text = "9"
		}
	}
	if m := paint.FindStringSubmatch(text); m != nil {
		return "url(" + m[1] + ")" + m[2], m[1][1:], true
	}
	return text, "", value.MatchString(text)
}

// isRisky reports whether a value that is not kept may do something, rather than
// be one that browsers ignore.
func isRisky(text string) bool {
	return strings.ContainsAny(text, `\(@:`) || strings.Contains(text, "/*")
}

// isBox reports whether text is four numbers, the last two of them above 0.
func isBox(text string) bool {
	fields := strings.FieldsFunc(text, isSeparator)
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

func isSeparator(c rune) bool { return c == ' ' || c == ',' }

// length is one in pixels, or in a unit that is some.
var length = regexp.MustCompile(`^ *([0-9.]+(?:[eE][+-]?[0-9]+)?) *(px|pt|pc|mm|cm|in|)? *$`)

// pixels is a length in pixels, 0 if it is none or depends on something else.
func pixels(text string) float64 {
	units := map[string]float64{"": 1, "px": 1, "pt": 96.0 / 72, "pc": 16, "mm": 96 / 25.4, "cm": 96 / 2.54, "in": 96}
	m := length.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0
	}
	return n * units[m[2]]
}

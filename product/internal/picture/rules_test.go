package picture_test

// inside puts what is uploaded into a drawing.
func inside(rows hostile) hostile {
	for name, row := range rows {
		row.upload = in(row.upload)
		rows[name] = row
	}
	return rows
}

// How the reasons begin.
const (
	script    = "contains a script"
	animation = "contains an animation"
	html      = "contains a piece of a web page"
	text      = "contains text"
	photo     = "contains a photo"
	link      = "contains a link"
	outside   = "refers to something outside"
	odd       = "has styles that cannot be read"
)

func unknown(name string) string { return `contains "` + name + `", which cannot be shown here` }

// acting are drawings with elements that run, load or link something.
func acting() hostile {
	const fromSVG = ` xmlns:x="http://www.w3.org/2000/svg"`
	return hostile{
		"script":                   {`<script>alert(1)</script>`, script},
		"script from elsewhere":    {`<script href="//evil.example/x.js"/>`, script},
		"script by a prefix":       {`<x:script` + fromSVG + `>alert(1)</x:script>`, script},
		"script in capitals":       {`<SCRIPT>alert(1)</SCRIPT>`, script},
		"script of HTML":           {`<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>`, script},
		"script of nothing":        {`<script xmlns="">alert(1)</script>`, script},
		"script in another's":      {`<x:y xmlns:x="about:x"><script>alert(1)</script></x:y>`, script},
		"script in metadata":       {`<metadata><script>alert(1)</script></metadata>`, script},
		"script in CDATA in title": {`<title><![CDATA[x]]><script/></title>`, script},
		"script in a switch":       {`<switch><g/><script>alert(1)</script></switch>`, script},
		"script for Illustrator": {
			`<g requiredExtensions="http://ns.adobe.com/x"><script>alert(1)</script></g>`, script,
		},
		"handler element": {`<handler/>`, script},
		"frame":           {`<iframe xmlns="http://www.w3.org/1999/xhtml" src="//evil.example"/>`, script},
		"shape of HTML":   {`<path xmlns="http://www.w3.org/1999/xhtml"/>`, html},
		"shape in capitals": {
			`<PATH/>`, unknown("PATH"),
		},
		"foreign object": {
			`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`, html,
		},
		"foreign object in a switch": {`<switch><foreignObject/><g/></switch>`, html},
		"link":                       {`<a href="javascript:alert(1)"><path/></a>`, link},
		"old link":                   {`<a xlink:href="//evil.example"><path/></a>`, link},
		"link by a prefix":           {`<x:a` + fromSVG + ` href="#b"/>`, link},
		"image":                      {`<image href="data:image/png;base64,AA"/>`, photo},
		"filter with an image":       {`<filter><feImage href="//evil.example"/></filter>`, photo},
		"text":                       {`<text>Hello</text>`, text},
		"text in a child":            {`<text><tspan> <tspan>Hello</tspan></tspan></text>`, text},
		"Inkscape's own text":        {`<flowRoot><flowPara>Hello</flowPara></flowRoot>`, text},
		"mesh":                       {`<meshgradient/>`, unknown("meshgradient")},
		"animation of href": {
			`<g id="a"/><use href="#a"><set attributeName="href" to="//evil.example"/></use>`, animation,
		},
		"animation": {`<animate attributeName="href" values="javascript:alert(1)"/>`, animation},
	}
}

// referring are drawings with attributes that do, or that leave the drawing.
func referring() hostile {
	return hostile{
		"handler":             {`<path onclick="x"/>`, script},
		"handler in capitals": {`<path ONCLICK="x"/>`, script},
		"handler by a prefix": {`<path xmlns:a="http://www.w3.org/2000/svg" a:onclick="x"/>`, script},
		"handler of a text":   {`<text onclick="x"/>`, script},
		"source":              {`<path src="x"/>`, outside},
		"another base":        {`<g xml:base="http://evil.example/"><use href="#a"/></g>`, outside},
		"attribute twice":     {`<path fill="red" fill="blue"/>`, "is damaged"},
		"reference to elsewhere": {
			`<use href="http://evil.example/x.svg#a"/>`, outside,
		},
		"reference by protocol":      {`<use href="//evil.example#a"/>`, outside},
		"old reference to elsewhere": {`<use xlink:href="x.svg#a"/>`, outside},
		"script as reference":        {`<use href="javascript:alert(1)"/>`, outside},
		"script after a tab":         {`<use href="&#9;java&#10;script:alert(1)"/>`, outside},
		"script after a control":     {`<use href="&#x85;javascript:alert(1)"/>`, outside},
		"data as reference":          {`<use href="data:image/svg+xml,x#a"/>`, outside},
		"blank before a reference":   {`<use href=" #a"/>`, outside},
		"reference with a quote":     {`<g id="a&quot;b"/><use href="#a&quot;b"/>`, outside},
		"worse of two references":    {`<g id="a"/><use xlink:href="#a" href="//evil.example"/>`, outside},
		"paint from elsewhere":       {`<path fill="url(http://evil.example/#a)"/>`, outside},
		"paint from a file":          {`<path fill="url(x.svg#a)"/>`, outside},
		"paint in capitals":          {`<path fill="URL(//evil.example)"/>`, outside},
		"paint in other quotes":      {`<path fill="url('//evil.example#a')"/>`, outside},
		"paint by escapes":           {`<path fill="\75rl(//evil.example)"/>`, odd},
		"paint by a comment":         {`<path fill="u/**/rl(x)"/>`, odd},
		"paint by entities":          {`<path fill="&#117;rl(x)"/>`, outside},
		"two paints":                 {`<g id="a"/><path fill="url(#a) url(x)"/>`, outside},
		"mask of an image set":       {`<path mask="image-set('x' 1x)"/>`, outside},
		"clip from elsewhere":        {`<path clip-path="url(//evil.example#a)"/>`, outside},
		"filter from elsewhere":      {`<path filter="url(//evil.example#a)"/>`, outside},
		"marker from elsewhere":      {`<path marker-end="url(//evil.example#a)"/>`, outside},
		"variable":                   {`<path fill="var(--x)"/>`, odd},
		"declaration more":           {`<path fill="red;background:url(x)"/>`, outside},
		"expression":                 {`<path width="expression(alert(1))"/>`, outside},
		"function of CSS":            {`<path width="calc(1px + 2px)"/>`, odd},
	}
}

// styling are drawings that try it by CSS.
func styling() hostile {
	style := func(sheet string) string { return `<style>` + sheet + `</style><path class="a"/>` }
	return hostile{
		"paint from elsewhere in a style": {`<path style="fill:url(//evil.example#a)"/>`, outside},
		"paint by escapes in a style":     {`<path style="fill:\75rl(//evil.example)"/>`, odd},
		"paint by a comment in a style":   {`<path style="fill:url(/**///evil.example)"/>`, outside},
		"variable in a style":             {`<path style="--x:url(//evil.example);fill:var(--x)"/>`, odd},
		"cursor in a style":               {`<path style="cursor:url(//evil.example),auto"/>`, outside},
		"background in a style":           {`<path style="background:url( '//evil.example' )"/>`, outside},
		"expression in a style":           {`<path style="width:expression(alert(1))"/>`, outside},
		"behaviour in a style":            {`<path style="behavior:url(#x)"/>`, outside},
		"binding in a style":              {`<path style="-moz-binding:url(#x)"/>`, outside},
		"script in a style":               {`<path style="fill:javascript:alert(1)"/>`, outside},
		"animation in a style":            {`<path style="animation:x 1s"/>`, animation},
		"clip by a shape in a style":      {`<path style="clip-path:circle(9px)"/>`, odd},
		"blending in quotes":              {`<path style="mix-blend-mode:'x'"/>`, odd},
		"import":                          {style(`@import "//evil.example";`), outside},
		"import in CDATA":                 {style(`<![CDATA[@import url(//evil.example);]]>`), outside},
		"import in capitals":              {style(`@IMPORT "//evil.example";`), outside},
		"import by escapes":               {style(`@\69mport "//evil.example";`), odd},
		"import between comments":         {style(`/**/@import/**/"//evil.example";`), outside},
		"font from elsewhere":             {style(`@font-face{font-family:x;src:url(//evil.example)}`), outside},
		"paint from elsewhere in a rule":  {style(`.a{fill:url(//evil.example#a)}`), outside},
		"paint in a rule for nothing":     {style(`.b{fill:url(//evil.example#a)}`), outside},
		"keyframes":                       {style(`@keyframes x{from{fill:red}}`), animation},
		"loading for dark pages": {
			style(`@media (prefers-color-scheme:dark){.a{fill:url(//evil.example)}}`), outside,
		},
		"light and dark, and more":  {style(`@media (prefers-color-scheme:dark), all{.a{fill:red}}`), "has styles that"},
		"rules by the page's width": {style(`@media (width>9px){.a{fill:red}}`), "has styles that are too elaborate"},
		"rules by an attribute":     {style(`[class^=a]{fill:red}`), "has styles that are too elaborate"},
		"style by a prefix": {
			`<x:style xmlns:x="http://www.w3.org/2000/svg">@import "//evil.example";</x:style>`, outside,
		},
	}
}

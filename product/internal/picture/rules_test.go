package picture_test

// inside puts what is uploaded into a drawing.
func inside(rows hostile) hostile {
	for name, row := range rows {
		row.upload = in(row.upload)
		rows[name] = row
	}
	return rows
}

func element(name string) string { return `must not have the element "` + name + `" (line 1)` }

func attribute(name string) string { return `must not have the attribute "` + name + `" (line 1)` }

func value(name, text string) string {
	return "must not have the attribute " + name + ` with the value "` + text + `" (line 1)`
}

// acting are drawings with elements that run, load or link something.
func acting() hostile {
	return hostile{
		"script":                {`<script>alert(1)</script>`, element("script")},
		"script from elsewhere": {`<script href="//evil.example/x.js"/>`, element("script")},
		"script by a prefix":    {`<a:script xmlns:a="http://www.w3.org/2000/svg">alert(1)</a:script>`, element("script")},
		"script of HTML":        {`<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>`, element("script")},
		"script in CDATA in title": {
			`<title><![CDATA[x]]><script/></title>`, "must have nothing but text in title (line 1)",
		},
		"shape of HTML":         {`<path xmlns="http://www.w3.org/1999/xhtml"/>`, element("path")},
		"shape of no namespace": {`<path xmlns=""/>`, element("path")},
		"prefix of nothing":     {`<x:path/>`, element("path")},
		"element in capitals":   {`<PATH/>`, element("PATH")},
		"foreign object": {
			`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`, element("foreignObject"),
		},
		"frame":                {`<iframe xmlns="http://www.w3.org/1999/xhtml" src="//evil.example"/>`, element("iframe")},
		"link":                 {`<a href="javascript:alert(1)"><path/></a>`, element("a")},
		"image":                {`<image href="data:image/png;base64,AA"/>`, element("image")},
		"filter with an image": {`<filter><feImage href="//evil.example"/></filter>`, element("filter")},
		"style":                {`<style>@import "//evil.example";</style>`, element("style")},
		"text":                 {`<text>Hello</text>`, element("text")},
		"pattern":              {`<pattern id="a"/>`, element("pattern")},
		"handler element":      {`<handler/>`, element("handler")},
		"animation of href":    {`<use href="#a"><set attributeName="href" to="//evil.example"/></use>`, element("set")},
		"animation":            {`<animate attributeName="href" values="javascript:alert(1)"/>`, element("animate")},
		"drawing in a drawing": {open + `</svg>`, element("svg")},
	}
}

// referring are drawings with attributes that do, or that leave the drawing.
func referring() hostile {
	return hostile{
		"handler in capitals": {`<path ONCLICK="x"/>`, attribute("ONCLICK")},
		"handler by a prefix": {`<path xmlns:a="http://www.w3.org/2000/svg" a:onclick="x"/>`, attribute("onclick")},
		"style attribute":     {`<path style="fill:url(//evil.example)"/>`, attribute("style")},
		"class":               {`<path class="x"/>`, attribute("class")},
		"source":              {`<path src="x"/>`, attribute("src")},
		"another base":        {`<g xml:base="http://evil.example/"><use href="#a"/></g>`, attribute("base")},
		"attribute twice": {
			`<path fill="red" fill="blue"/>`, "must not have the attribute fill twice in one element (line 1)",
		},
		"reference twice": {
			`<g id="a"/><use href="#a" xlink:href="#a"/>`,
			"must not have the attribute href twice in one element (line 1)",
		},
		"id twice":        {`<g id="a"/><g id="a"/>`, `must not have the id "a" twice (line 1)`},
		"id with a quote": {`<g id="a&quot;b"/>`, value("id", `a\"b`)},
		"no id":           {`<g id=""/>`, value("id", "")},
		"reference to elsewhere": {
			`<use href="http://evil.example/x.svg#a"/>`, value("href", "http://evil.example/x.svg#a"),
		},
		"reference by protocol":      {`<use href="//evil.example#a"/>`, value("href", "//evil.example#a")},
		"old reference to elsewhere": {`<use xlink:href="x.svg#a"/>`, value("href", "x.svg#a")},
		"script as reference":        {`<use href="javascript:alert(1)"/>`, value("href", "javascript:alert(1)")},
		"data as reference":          {`<use href="data:image/svg+xml,x#a"/>`, value("href", "data:image/svg+xml,x#a")},
		"blank before a reference":   {`<use href=" #a"/>`, value("href", " #a")},
		"empty reference":            {`<use href=""/>`, value("href", "")},
		"paint from elsewhere": {
			`<path fill="url(http://evil.example/#a)"/>`, value("fill", "url(http://evil.example/#a)"),
		},
		"paint from a file":    {`<path fill="url(x.svg#a)"/>`, value("fill", "url(x.svg#a)")},
		"paint in quotes":      {`<path fill="url('#a')"/>`, value("fill", "url('#a')")},
		"paint in capitals":    {`<path fill="URL(//evil.example)"/>`, value("fill", "URL(//evil.example)")},
		"paint by escapes":     {`<path fill="\75rl(//evil.example)"/>`, value("fill", `\\75rl(//evil.example)`)},
		"paint by a comment":   {`<path fill="u/**/rl(x)"/>`, value("fill", "u/**/rl(x)")},
		"paint by entities":    {`<path fill="&#117;rl(x)"/>`, value("fill", "url(x)")},
		"two paints":           {`<g id="a"/><path fill="url(#a) url(x)"/>`, value("fill", "url(#a) url(x)")},
		"mask of an image set": {`<path mask="image-set('x' 1x)"/>`, value("mask", "image-set('x' 1x)")},
		"clip from elsewhere":  {`<path clip-path="url(//evil.example#a)"/>`, value("clip-path", "url(//evil.example#a)")},
		"variable":             {`<path fill="var(--x)"/>`, value("fill", "var(--x)")},
		"declaration more":     {`<path fill="red;background:url(x)"/>`, value("fill", "red;background:url(x)")},
		"expression":           {`<path width="expression(alert(1))"/>`, value("width", "expression(alert(1))")},
	}
}

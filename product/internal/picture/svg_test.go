package picture_test

import (
	"errors"
	"strings"
	"testing"

	"craftista/product/internal/picture"
	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

const open = `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9">`

// in is a drawing with that in it.
func in(inner string) string { return open + inner + "</svg>" }

// reason is why an upload is refused, "" if it is not.
func reason(t *testing.T, mediaType, upload string) string {
	t.Helper()
	kept, err := picture.Clean(mediaType, []byte(upload))
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) != 1 ||
		f.Fields[0].Field != "image" || kept != nil {
		t.Errorf("got %q, %v; want a fault of the image", kept, err)
		return ""
	}
	return f.Fields[0].Message
}

// hostile are uploads and why each is refused, by what they try.
type hostile map[string]struct{ upload, want string }

// TestHostileDrawings: what runs, loads, links, lies about its form or asks for
// more work than it looks is refused, and the reason says what it was.
func TestHostileDrawings(t *testing.T) {
	t.Parallel()
	for _, table := range []hostile{acting(), referring(), declaring(), misbuilt()} {
		for name, row := range table {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if got := reason(t, picture.SVG, row.upload); got != row.want {
					t.Errorf("got  %s\nwant %s", got, row.want)
				}
			})
		}
	}
}

const (
	badXML  = "is not well-formed XML in UTF-8 (line 1)"
	doctype = "must not have a DOCTYPE or other declaration (line 1)"
	root    = "must have one root element, svg of the namespace http://www.w3.org/2000/svg (line 1)"
	around  = "must not have text outside of its root element (line 1)"
)

func element(name string) string { return `must not have the element "` + name + `" (line 1)` }

func attribute(name string) string { return `must not have the attribute "` + name + `" (line 1)` }

func value(name, text string) string {
	return "must not have the attribute " + name + ` with the value "` + text + `" (line 1)`
}

// acting are drawings with elements that run, load or link something.
func acting() hostile {
	return hostile{
		"script":                {in(`<script>alert(1)</script>`), element("script")},
		"script from elsewhere": {in(`<script href="//evil.example/x.js"/>`), element("script")},
		"script by a prefix": {
			in(`<a:script xmlns:a="http://www.w3.org/2000/svg">alert(1)</a:script>`), element("script"),
		},
		"script of HTML": {in(`<script xmlns="http://www.w3.org/1999/xhtml">alert(1)</script>`), element("script")},
		"script in CDATA in title": {
			in(`<title><![CDATA[x]]><script/></title>`), "must have nothing but text in title (line 1)",
		},
		"shape of HTML":         {in(`<path xmlns="http://www.w3.org/1999/xhtml"/>`), element("path")},
		"shape of no namespace": {in(`<path xmlns=""/>`), element("path")},
		"prefix of nothing":     {in(`<x:path/>`), element("path")},
		"element in capitals":   {in(`<PATH/>`), element("PATH")},
		"foreign object": {
			in(`<foreignObject><p xmlns="http://www.w3.org/1999/xhtml"/></foreignObject>`), element("foreignObject"),
		},
		"frame": {
			in(`<iframe xmlns="http://www.w3.org/1999/xhtml" src="//evil.example"/>`), element("iframe"),
		},
		"link":                 {in(`<a href="javascript:alert(1)"><path/></a>`), element("a")},
		"image":                {in(`<image href="data:image/png;base64,AA"/>`), element("image")},
		"filter with an image": {in(`<filter><feImage href="//evil.example"/></filter>`), element("filter")},
		"style":                {in(`<style>@import "//evil.example";</style>`), element("style")},
		"text":                 {in(`<text>Hello</text>`), element("text")},
		"pattern":              {in(`<pattern id="a"/>`), element("pattern")},
		"handler element":      {in(`<handler/>`), element("handler")},
		"animation of href":    {in(`<use href="#a"><set attributeName="href" to="//evil.example"/></use>`), element("set")},
		"animation":            {in(`<animate attributeName="href" values="javascript:alert(1)"/>`), element("animate")},
		"drawing in a drawing": {in(open + `</svg>`), element("svg")},
	}
}

// referring are drawings with attributes that do, or that leave the drawing.
func referring() hostile {
	return hostile{
		"load handler": {
			`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)"/>`, attribute("onload"),
		},
		"handler in capitals": {in(`<path ONCLICK="x"/>`), attribute("ONCLICK")},
		"handler by a prefix": {in(`<path xmlns:a="http://www.w3.org/2000/svg" a:onclick="x"/>`), attribute("onclick")},
		"style attribute":     {in(`<path style="fill:url(//evil.example)"/>`), attribute("style")},
		"class":               {in(`<path class="x"/>`), attribute("class")},
		"source":              {in(`<path src="x"/>`), attribute("src")},
		"another base":        {in(`<g xml:base="http://evil.example/"><use href="#a"/></g>`), attribute("base")},
		"attribute twice": {
			in(`<path fill="red" fill="blue"/>`), "must not have the attribute fill twice in one element (line 1)",
		},
		"reference twice": {
			in(`<g id="a"/><use href="#a" xlink:href="#a"/>`),
			"must not have the attribute href twice in one element (line 1)",
		},
		"id twice":        {in(`<g id="a"/><g id="a"/>`), `must not have the id "a" twice (line 1)`},
		"id with a quote": {in(`<g id="a&quot;b"/>`), value("id", `a\"b`)},
		"no id":           {in(`<g id=""/>`), value("id", "")},
		"reference to elsewhere": {
			in(`<use href="http://evil.example/x.svg#a"/>`), value("href", "http://evil.example/x.svg#a"),
		},
		"reference by protocol":      {in(`<use href="//evil.example#a"/>`), value("href", "//evil.example#a")},
		"old reference to elsewhere": {in(`<use xlink:href="x.svg#a"/>`), value("href", "x.svg#a")},
		"script as reference":        {in(`<use href="javascript:alert(1)"/>`), value("href", "javascript:alert(1)")},
		"data as reference":          {in(`<use href="data:image/svg+xml,x#a"/>`), value("href", "data:image/svg+xml,x#a")},
		"blank before a reference":   {in(`<use href=" #a"/>`), value("href", " #a")},
		"empty reference":            {in(`<use href=""/>`), value("href", "")},
		"paint from elsewhere": {
			in(`<path fill="url(http://evil.example/#a)"/>`), value("fill", "url(http://evil.example/#a)"),
		},
		"paint from a file":    {in(`<path fill="url(x.svg#a)"/>`), value("fill", "url(x.svg#a)")},
		"paint in quotes":      {in(`<path fill="url('#a')"/>`), value("fill", "url('#a')")},
		"paint in capitals":    {in(`<path fill="URL(//evil.example)"/>`), value("fill", "URL(//evil.example)")},
		"paint by escapes":     {in(`<path fill="\75rl(//evil.example)"/>`), value("fill", `\\75rl(//evil.example)`)},
		"paint by a comment":   {in(`<path fill="u/**/rl(x)"/>`), value("fill", "u/**/rl(x)")},
		"paint by entities":    {in(`<path fill="&#117;rl(x)"/>`), value("fill", "url(x)")},
		"two paints":           {in(`<g id="a"/><path fill="url(#a) url(x)"/>`), value("fill", "url(#a) url(x)")},
		"mask of an image set": {in(`<path mask="image-set('x' 1x)"/>`), value("mask", "image-set('x' 1x)")},
		"clip from elsewhere": {
			in(`<path clip-path="url(//evil.example#a)"/>`), value("clip-path", "url(//evil.example#a)"),
		},
		"variable":           {in(`<path fill="var(--x)"/>`), value("fill", "var(--x)")},
		"declaration more":   {in(`<path fill="red;background:url(x)"/>`), value("fill", "red;background:url(x)")},
		"expression":         {in(`<path width="expression(alert(1))"/>`), value("width", "expression(alert(1))")},
		"no drawing's width": {strings.Replace(in(""), "0 0 9 9", "0 0 0 9", 1), value("viewBox", "0 0 0 9")},
		"endless width":      {strings.Replace(in(""), "0 0 9 9", "0 0 Inf 9", 1), value("viewBox", "0 0 Inf 9")},
		"width of no number": {strings.Replace(in(""), "0 0 9 9", "0 0 NaN 9", 1), value("viewBox", "0 0 NaN 9")},
		"three numbers":      {strings.Replace(in(""), "0 0 9 9", "0 0 9", 1), value("viewBox", "0 0 9")},
		"no viewBox": {`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
			"must have a viewBox, which says how large the drawing is (line 1)"},
	}
}

// declaring are files that an XML parser with all its features would be fooled by.
func declaring() hostile {
	return hostile{
		"DOCTYPE": {`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://evil.example/x.dtd">` + in(""), doctype},
		"billion laughs by entities": {
			`<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>` + in("<title>&b;</title>"), doctype,
		},
		"file by an entity": {
			`<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + in("<title>&a;</title>"), doctype,
		},
		"DOCTYPE in the middle": {in(`<!DOCTYPE svg>`), doctype},
		"entity of HTML":        {in(`<title>&nbsp;</title>`), badXML},
		"style sheet": {
			`<?xml-stylesheet href="//evil.example/x.css"?>` + in(""),
			`must not have the processing instruction "xml-stylesheet" (line 1)`,
		},
		"instruction in the middle": {in(`<?php evil() ?>`), `must not have the processing instruction "php" (line 1)`},
		"declaration too late": {
			" <?xml version=\"1.0\"?>" + in(""), `must not have the processing instruction "xml" (line 1)`,
		},
		"another encoding": {`<?xml version="1.0" encoding="UTF-7"?>` + in(""), badXML},
		"UTF-16":           {"\xff\xfe<\x00s\x00v\x00g\x00", "must be UTF-8"},
		"an overlong <":    {in("\xc0\xbcscript>"), "must be UTF-8"},
		"NUL":              {in("<title>\x00</title>"), badXML},
		"NUL by number":    {in("<title>&#0;</title>"), badXML},
	}
}

// misbuilt are files that are no drawing, and drawings that cost more than they look.
func misbuilt() hostile {
	return hostile{
		"HTML":                 {`<html><body onload="alert(1)"/></html>`, root},
		"no namespace":         {`<svg viewBox="0 0 9 9"/>`, root},
		"another namespace":    {`<svg xmlns="http://www.w3.org/1999/xhtml" viewBox="0 0 9 9"/>`, root},
		"two roots":            {in("") + in(""), root},
		"script after the end": {in("") + "<script/>", root},
		"text before":          {"x" + in(""), around},
		"text after":           {in("") + "x", around},
		"two byte order marks": {"\ufeff\ufeff" + in(""), around},
		"text among shapes":    {in("<g>alert(1)</g>"), "must not have text in the element g (line 1)"},
		"CDATA among shapes":   {in("<![CDATA[<script/>]]>"), "must not have text in the element svg (line 1)"},
		"cut":                  {open + "<g>", badXML},
		"cut tag":              {open + "<g", badXML},
		"tags that cross":      {in("<g><defs></g></defs>"), badXML},
		"no quotes":            {in("<path fill=red/>"), badXML},
		"open comment":         {in("<!-- "), badXML},
		"only a comment":       {"<!-- -->", "must have a root element (line 1)"},
		"no drawing":           {"hello", around},
		"reference to nothing": {in(`<use href="#a"/>`), `must not refer to "#a", which is not in it (line 1)`},
		"paint that is not":    {in("\n" + `<path fill="url(#a)"/>`), `must not refer to "#a", which is not in it (line 2)`},
		"circle of one":        {in(`<use id="a" href="#a"/>`), "must not refer in a circle (line 1)"},
		"circle by a parent":   {in("\n" + `<g id="a"><use href="#a"/></g>`), "must not refer in a circle (line 2)"},
		"circle of two": {
			in(`<mask id="a" mask="url(#b)"/><mask id="b" mask="url(#a)"/>`), "must not refer in a circle (line 1)",
		},
		"circle of gradients": {in(`<radialGradient id="a" xlink:href="#a"/>`), "must not refer in a circle (line 1)"},
		"billion laughs":      {in(laughs("use href=", "#%")), "must not draw more than 50000 elements by reference"},
		"billion masks":       {in(laughs("path mask=", "url(#%)")), "must not draw more than 50000 elements by reference"},
		"deep": {
			in(strings.Repeat("<g>", 32) + strings.Repeat("</g>", 32)), "must not nest elements deeper than 32 (line 1)",
		},
		"many": {in(strings.Repeat("<g/>", 10_000)), "must not have more than 10000 elements (line 1)"},
		"large once rewritten": {
			in("<title>" + strings.Repeat("'", 250_000) + "</title>"), "is over 1048576 bytes once it is rewritten",
		},
		"a long name": {in("<" + strings.Repeat("x", 1000) + "/>"), element(strings.Repeat("x", 40))},
	}
}

// laughs is a kilobyte of groups of which each refers four times to the one
// before: 4^20 elements to draw.
func laughs(tag, reference string) string {
	var b strings.Builder
	b.WriteString(`<g id="a"><path/></g>`)
	for c := 'b'; c <= 'u'; c++ {
		b.WriteString(`<g id="` + string(c) + `">`)
		b.WriteString(strings.Repeat("<"+tag+`"`+strings.Replace(reference, "%", string(c-1), 1)+`"/>`, 4) + "</g>")
	}
	return b.String()
}

// TestLargestDrawing is kept, and a byte more is not.
func TestLargestDrawing(t *testing.T) {
	t.Parallel()
	const frame, limit = len(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><desc></desc></svg>`), 1 << 20
	quotes := (limit - frame) / len("&#39;")
	text := strings.Repeat("'", quotes) + strings.Repeat("x", limit-frame-quotes*len("&#39;"))
	if kept, err := picture.Clean(picture.SVG, []byte(in("<desc>"+text+"</desc>"))); err != nil || len(kept) != limit {
		t.Errorf("got %d bytes and %v, want %d", len(kept), err, limit)
	}
	if kept, err := picture.Clean(picture.SVG, []byte(in("<desc>"+text+"x</desc>"))); err == nil {
		t.Errorf("got %d bytes, want a refusal", len(kept))
	}
}

// TestDrawingsAreWrittenAnew: what is kept, and in which form.
func TestDrawingsAreWrittenAnew(t *testing.T) {
	t.Parallel()
	const bare = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"`
	for name, row := range map[string]struct{ upload, want string }{
		"nothing in it": {in(""), bare + `></svg>`},
		"declaration and mark": {
			"\ufeff<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n<!-- by hand -->\n" + in("\n") + "\n",
			bare + `></svg>`,
		},
		"a prefix for everything": {
			`<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0,0 9,9"><s:g/></s:svg>`,
			`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0,0 9,9"><g></g></svg>`,
		},
		"blanks and comments": {
			in(" <g>\n\t<!-- <script/> --><path d='M0 0\n\tL1 1'/>\n</g> "), bare + `><g><path d="M0 0  L1 1"></path></g></svg>`,
		},
		"words": {
			in("<title xml:lang='en'>A &lt;b&gt; &amp; <![CDATA[<script>]]>\n\"鶴\"</title><desc/>"),
			bare + "><title>A &lt;b&gt; &amp; &lt;script&gt;\n&#34;鶴&#34;</title><desc></desc></svg>",
		},
		"colours": {
			in(`<path fill="rgb(1, 2,3)" stroke="hsla(1 50% 50%)" color="#abc"/>`),
			bare + `><path fill="rgb(1, 2,3)" stroke="hsla(1 50% 50%)" color="#abc"></path></svg>`,
		},
		"moves": {
			in(`<g transform="translate(1,2) rotate(-4.5e1) scale (2)"/>`),
			bare + `><g transform="translate(1,2) rotate(-4.5e1) scale (2)"></g></svg>`,
		},
		"references old and new": {
			in(`<use xlink:href="#a" x="1"/><symbol id="a"/>`),
			bare + `><use href="#a" x="1"></use><symbol id="a"></symbol></svg>`,
		},
		"paint with a second": {
			in(`<linearGradient id="a-1.b"/><path fill="url(#a-1.b) none"/>`),
			bare + `><linearGradient id="a-1.b"></linearGradient><path fill="url(#a-1.b) none"></path></svg>`,
		},
		"declarations of no use": {
			in(`<g xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" xml:space="preserve"/>`),
			bare + `><g></g></svg>`,
		},
		"as many as may be": {in(strings.Repeat("<g/>", 9_999)), bare + ">" + strings.Repeat("<g></g>", 9_999) + "</svg>"},
		"as deep as may be": {
			in(strings.Repeat("<g>", 31) + strings.Repeat("</g>", 31)),
			bare + ">" + strings.Repeat("<g>", 31) + strings.Repeat("</g>", 31) + "</svg>",
		},
		"drawn often and not twice": {
			in(`<g id="a"><path/></g>` + strings.Repeat(`<use href="#a"/>`, 3)),
			bare + `><g id="a"><path></path></g>` + strings.Repeat(`<use href="#a"></use>`, 3) + "</svg>",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, err := picture.Clean(picture.SVG, []byte(row.upload))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(kept), row.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

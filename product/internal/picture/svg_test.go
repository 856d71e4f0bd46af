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
	for _, table := range []hostile{inside(acting()), inside(referring()), declaring(), misbuilt()} {
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
		"load handler": {
			`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" onload="alert(1)"/>`, attribute("onload"),
		},
		"no drawing's width": {strings.Replace(in(""), "0 0 9 9", "0 0 0 9", 1), value("viewBox", "0 0 0 9")},
		"endless width":      {strings.Replace(in(""), "0 0 9 9", "0 0 Inf 9", 1), value("viewBox", "0 0 Inf 9")},
		"width of no number": {strings.Replace(in(""), "0 0 9 9", "0 0 NaN 9", 1), value("viewBox", "0 0 NaN 9")},
		"three numbers":      {strings.Replace(in(""), "0 0 9 9", "0 0 9", 1), value("viewBox", "0 0 9")},
		"no viewBox": {`<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>`,
			"must have a viewBox, which says how large the drawing is (line 1)"},
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

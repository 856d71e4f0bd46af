package picture_test

import (
	"errors"
	"os"
	"path/filepath"
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
	kept, err := picture.Clean([]byte(upload))
	if mediaType != picture.SVG {
		_, err = picture.NewPhotos(0).Clean(t.Context(), []byte(upload))
	}
	if err == nil {
		return ""
	}
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Invalid || len(f.Fields) == 0 || kept != nil {
		t.Errorf("got %q, %v; want a fault of the image", kept, err)
		return ""
	}
	reasons := make([]string, len(f.Fields))
	for i, field := range f.Fields {
		reasons[i] = field.Message
		if field.Field != "image" {
			t.Errorf("a reason of %s", field.Field)
		}
	}
	return strings.Join(reasons, "; ")
}

// hostile are uploads and how the reasons begin why each is refused, by what they try.
type hostile map[string]struct{ upload, want string }

// TestHostileDrawings: what runs, loads, links, lies about its form or asks for
// more work than it looks is refused, and the reason says what it was.
func TestHostileDrawings(t *testing.T) {
	t.Parallel()
	for _, table := range []hostile{inside(acting()), inside(referring()), inside(styling()), declaring(), misbuilt()} {
		for name, row := range table {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				if got := reason(t, picture.SVG, row.upload); got == "" || !strings.HasPrefix(got, row.want) {
					t.Errorf("got  %s\nwant %s", got, row.want)
				}
			})
		}
	}
}

const (
	damaged  = "is damaged: it is not well-formed XML (line 1)"
	entities = "has definitions that only its program needs"
	noSVG    = "is not an SVG drawing"
	noSize   = "does not say how large it is"
	circle   = "has parts that are drawn from themselves"
	often    = "repeats its parts too often"
	complex  = "is too complex"
)

// declaring are files that an XML parser with all its features would be fooled by.
func declaring() hostile {
	return hostile{
		"billion laughs by entities": {
			`<!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>` + in("<title>&b;</title>"), entities,
		},
		"markup by an entity":       {`<!DOCTYPE svg [<!ENTITY a "<script/>">]>` + in("&a;"), entities},
		"markup by a number":        {`<!DOCTYPE svg [<!ENTITY a "&#60;script/>">]>` + in("&a;"), entities},
		"entity of the declaration": {`<!DOCTYPE svg [<!ENTITY % a "ha"> %a;]>` + in(""), entities},
		"declarations of others":    {`<!DOCTYPE svg [<!ENTITY % a SYSTEM "//evil.example/x.dtd"> %a;]>` + in(""), entities},
		"link by an entity": {
			`<!DOCTYPE svg [<!ENTITY a "java">]>` + in(`<a href="&a;script:alert(1)"/>`), link,
		},
		"style by an entity": {
			`<!DOCTYPE svg [<!ENTITY a "//evil.example">]>` + in(`<g style="fill:url(&a;)"/>`), outside,
		},
		"entities that grow": {
			`<!DOCTYPE svg [<!ENTITY a "` + strings.Repeat("a", 1000) + `">]>` + in(strings.Repeat("&a;", 1100)), complex,
		},
		"second DOCTYPE":         {`<!DOCTYPE svg [<!ENTITY a "a">]><!DOCTYPE svg [<!ENTITY b "b">]>` + in(""), entities},
		"entities after the end": {in("") + `<!DOCTYPE svg [<!ENTITY a "a">]>`, entities},
		"namespace by default": {
			`<!DOCTYPE svg [<!ATTLIST svg xmlns CDATA #FIXED "http://www.w3.org/1999/xhtml">]>` + in(""), entities,
		},
		"file by an entity": {
			`<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + in("<title>&a;</title>"), entities,
		},
		"attributes by default": {
			`<!DOCTYPE svg [<!ATTLIST path onclick CDATA "alert(1)">]>` + in("<path/>"), entities,
		},
		"DOCTYPE in the middle":     {in(`<!DOCTYPE svg>`), entities},
		"entity of HTML":            {in(`<title>&nbsp;</title>`), damaged},
		"style sheet":               {`<?xml-stylesheet href="//evil.example/x.css"?>` + in(""), outside},
		"instruction in the middle": {in(`<?php evil() ?>`), outside},
		"encoding for mail":         {`<?xml version="1.0" encoding="UTF-7"?>` + in("+ADw-"), "is in the encoding \"UTF-7\""},
		"encoding that is none":     {`<?xml version="1.0" encoding="x"?>` + in(""), "is in the encoding \"x\""},
		"encoding that is not so":   {`<?xml version="1.0" encoding="UTF-16"?>` + in(""), noSVG},
		"script in UTF-16":          {utf16("\ufeff" + in("<script/>")), script},
		"script in EBCDIC":          {`<?xml version="1.0" encoding="ibm037"?>` + in(""), "is in the encoding"},
		"UTF-16 cut short":          {"\xff\xfe<\x00s\x00v\x00g\x00", damaged},
		"an overlong <":             {in("\xc0\xbcscript>"), "is in an encoding that it does not name"},
		"NUL":                       {in("<title>\x00</title>"), damaged},
		"NUL by number":             {in("<title>&#0;</title>"), damaged},
	}
}

// utf16 is the text in UTF-16, the least byte first.
func utf16(text string) string {
	var b strings.Builder
	for _, c := range text {
		b.WriteByte(byte(c))
		b.WriteByte(byte(c >> 8))
	}
	return b.String()
}

// misbuilt are files that are no drawing, and drawings that cost more than they look.
func misbuilt() hostile {
	rules := strings.Repeat(`.a{fill:red}`, 30_000)
	return hostile{
		"load handler":         {strings.Replace(in(""), "viewBox", `onload="alert(1)" viewBox`, 1), script},
		"no drawing's width":   {strings.Replace(in(""), "0 0 9 9", "0 0 0 9", 1), noSize},
		"endless width":        {strings.Replace(in(""), "0 0 9 9", "0 0 Inf 9", 1), noSize},
		"width of no number":   {strings.Replace(in(""), "0 0 9 9", "0 0 NaN 9", 1), noSize},
		"three numbers":        {strings.Replace(in(""), "0 0 9 9", "0 0 9", 1), noSize},
		"no size":              {`<svg xmlns="http://www.w3.org/2000/svg"/>`, noSize},
		"a size of the page's": {`<svg xmlns="http://www.w3.org/2000/svg" width="100%" height="9"/>`, noSize},
		"HTML":                 {`<html><body onload="alert(1)"/></html>`, noSVG},
		"no namespace":         {`<svg xmlns="" viewBox="0 0 9 9"/>`, noSVG},
		"script, no namespace": {`<svg viewBox="0 0 9 9"><script xmlns=""/></svg>`, script},
		"another namespace":    {`<svg xmlns="http://www.w3.org/1999/xhtml" viewBox="0 0 9 9"/>`, noSVG},
		"two roots":            {in("") + in(""), noSVG},
		"script after the end": {in("") + "<script/>", noSVG},
		"text before":          {"x" + in(""), noSVG},
		"text after":           {in("") + "x", noSVG},
		"two byte order marks": {"\ufeff\ufeff" + in(""), noSVG},
		"cut":                  {open + "<g>", damaged},
		"cut tag":              {open + "<g", damaged},
		"tags that cross":      {in("<g><defs></g></defs>"), damaged},
		"no quotes":            {in("<path fill=red/>"), damaged},
		"open comment":         {in("<!-- "), damaged},
		"only a comment":       {"<!-- -->", noSVG},
		"no drawing":           {"hello", noSVG},
		"nothing":              {"", noSVG},
		"circle of one":        {in(`<use id="a" href="#a"/>`), circle},
		"circle by a parent":   {in(`<g id="a"><use href="#a"/></g>`), circle},
		"circle of two":        {in(`<mask id="a" mask="url(#b)"/><mask id="b" mask="url(#a)"/>`), circle},
		"circle by a style":    {in(`<mask id="a"><g style="mask:url(#a)"/></mask>`), circle},
		"circle by a rule":     {in(`<style>g{fill:url(#a)}</style><pattern id="a"><g/></pattern>`), circle},
		"circle of gradients":  {in(`<radialGradient id="a" xlink:href="#a"/>`), circle},
		"billion laughs":       {in(laughs("use href=", "#%")), often},
		"billion masks":        {in(laughs("path mask=", "url(#%)")), often},
		"billion patterns":     {in(laughs("path style=", "fill:url(#%)")), often},
		"deep":                 {in(strings.Repeat("<g>", 64) + strings.Repeat("</g>", 64)), complex},
		"deep in another's": {
			in(`<x xmlns="about:x">` + strings.Repeat("<x>", 64) + strings.Repeat("</x>", 64) + "</x>"), complex,
		},
		"many": {in(strings.Repeat("<g/>", 10_000)), complex},
		"rules for all": {
			in("<style>" + rules + "</style>" + strings.Repeat(`<g class="a"/>`, 5000)), "has styles that are too elaborate",
		},
		"large once rewritten": {in("<title>" + strings.Repeat("'", 250_000) + "</title>"), "is over 1048576 bytes once"},
		"a long name":          {in("<" + strings.Repeat("x", 1000) + "/>"), unknown(strings.Repeat("x", 40))},
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

// TestDrawingsOfPrograms: what each program writes is accepted, or all that is to
// be mended is said at once.
func TestDrawingsOfPrograms(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"drawio-text.svg": html + ". In draw.io: turn off Word Wrap and Formatted Text; " +
			text + ". In Inkscape: Path → Object to Path; in Illustrator: Type → Create Outlines",
		"graphviz.svg": link + ". In Inkscape: right-click it, Remove Link; " +
			text + ". In Inkscape: Path → Object to Path; in Illustrator: Type → Create Outlines",
	}
	files, err := filepath.Glob("testdata/*.svg")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		drawing, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if got := reason(t, picture.SVG, string(drawing)); got != refused[name] {
			t.Errorf("%s: got %q, want %q", name, got, refused[name])
		}
	}
}

// TestLargestDrawing is kept, and a byte more is not.
func TestLargestDrawing(t *testing.T) {
	t.Parallel()
	const frame, limit = len(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><desc></desc></svg>`), 1 << 20
	quotes := (limit - frame) / len("&#39;")
	text := strings.Repeat("'", quotes) + strings.Repeat("x", limit-frame-quotes*len("&#39;"))
	if kept, err := picture.Clean([]byte(in("<desc>" + text + "</desc>"))); err != nil || len(kept) != limit {
		t.Errorf("got %d bytes and %v, want %d", len(kept), err, limit)
	}
	if kept, err := picture.Clean([]byte(in("<desc>" + text + "x</desc>"))); err == nil {
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
		"another encoding": {
			`<?xml version="1.0" encoding="iso-8859-1"?>` + in("<title>B\xe2teau</title>"),
			bare + `><title>Bâteau</title></svg>`,
		},
		"an encoding without a declaration": {
			utf16("\ufeff" + in("<title>鶴</title>")), bare + `><title>鶴</title></svg>`,
		},
		"DOCTYPE": {
			`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">` + in(""),
			bare + `></svg>`,
		},
		"namespaces as Illustrator has them": {
			`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd" [
				<!ENTITY ns_ai "http://ns.adobe.com/AdobeIllustrator/10.0/">
				<!ENTITY ns_svg 'http://www.w3.org/2000/svg'>
			]><svg xmlns="&ns_svg;" xmlns:i="&ns_ai;" viewBox="0 0 9 9"><i:pgf/><g i:layer="yes"/></svg>`,
			bare + `><g></g></svg>`,
		},
		"prefixes as Sodipodi has them": {
			`<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 20010904//EN" "http://www.w3.org/TR/2001/REC-SVG-20010904/DTD/svg10.dtd" [
				<!ATTLIST svg xmlns:xlink CDATA #FIXED "http://www.w3.org/1999/xlink">
			]><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><g id="a"/><use xlink:href="#a"/></svg>`,
			bare + `><g id="a"></g><use href="#a"></use></svg>`,
		},
		"an entity is text": {
			`<!DOCTYPE svg [<!ENTITY a "script - ">]>` + in("<title>&a;</title>"),
			bare + `><title>script - </title></svg>`,
		},
		"no namespace, as in a page": {`<svg viewBox="0 0 9 9"><g/><g xmlns=""/></svg>`, bare + `><g></g></svg>`},
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
		"what its program notes": {
			in(`<metadata><x xmlns="about:x">y</x></metadata><x:y xmlns:x="about:x" x:z="0"><path/></x:y>` +
				`<?xpacket end="w"?><g xmlns:x="about:x" x:y="z" class="a" data-name="b" id="c" content="&lt;mxfile"/>loose`),
			bare + `><g></g></svg>`,
		},
		"what is not drawn": {
			in(`<text id="a"> <tspan/></text><font/><image/><path xmlns=""/><g fill="red;" width="'1'" id="a b"/>`),
			bare + `><g></g></svg>`,
		},
		"title without what is in it": {in(`<title>a<g/>b</title>`), bare + `><title>ab</title></svg>`},
		"ids that are needed": {
			in(`<path id="a"/><path id="b"/><path id="b"/><g aria-labelledby="c d" fill="url( '#b' )"/><title id="c"/>`),
			bare + `><path></path><path id="b"></path><path></path><g aria-labelledby="c d" fill="url(#b)"></g>` +
				`<title id="c"></title></svg>`,
		},
		"references to nothing": {
			in(`<use id="u" href="#a"/><use href="#u"/><path fill="url(#a)" stroke="url(#a) red" mask="url(#a)" href=""/>`),
			bare + `><use id="u"></use><use href="#u"></use><path fill="none" stroke="red"></path></svg>`,
		},
		"newer of two references": {
			in(`<g id="a"/><use href="#a" xlink:href="#b"/><use xlink:href="#b" href="#a"/>`),
			bare + `><g id="a"></g><use href="#a"></use><use href="#a"></use></svg>`,
		},
		"octaves that show": {
			in(`<filter id="a"><feTurbulence numOctaves="2.5"/><feTurbulence numOctaves="10"/></filter><g filter="url(#a)"/>`),
			bare + `><filter id="a"><feTurbulence numOctaves="2.5"></feTurbulence>` +
				`<feTurbulence numOctaves="9"></feTurbulence></filter><g filter="url(#a)"></g></svg>`,
		},
		"switch": {
			in(`<switch><desc/><foreignObject requiredExtensions="http://ns.adobe.com/x"/><g/><path/></switch>`),
			bare + `><g><desc></desc></g></svg>`,
		},
		"link to nowhere": {in(`<a><path/></a>`), bare + `><g><path></path></g></svg>`},
		"a width alone": {
			`<svg xmlns="http://www.w3.org/2000/svg" width="1000" viewBox="0 0 9 9"/>`, bare + `></svg>`,
		},
		"no viewBox": {
			`<svg xmlns="http://www.w3.org/2000/svg" width="1.5in" height="20px"/>`,
			`<svg xmlns="http://www.w3.org/2000/svg" width="1.5in" height="20px" viewBox="0 0 144 20"></svg>`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, err := picture.Clean([]byte(row.upload))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(kept), row.want); diff != "" {
				t.Errorf("(-got +want):\n%s", diff)
			}
		})
	}
}

package picture_test

import (
	"strings"
	"testing"

	"craftista/product/internal/picture"
)

// TestStylesBecomeAttributes as CSS would apply them.
func TestStylesBecomeAttributes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct{ sheet, upload, want string }{
		"style attribute": {
			"", `<path fill="red" style="fill:#00F;STROKE : rgb(1, 2,3) ; font-family:'a;b';/* c */opacity:.5"/>`,
			`<path fill="#00F" stroke="rgb(1,2,3)" opacity=".5"></path>`,
		},
		"broken declarations": {"", `<path style="fill;;:red;{};stroke:red"/>`, `<path stroke="red"></path>`},
		"references": {
			"", `<g id="a"/><path style="fill:url(&quot;#a&quot;) none;marker:url(#a)"/>`,
			`<g id="a"></g><path fill="url(#a) none" marker-start="url(#a)" marker-mid="url(#a)" marker-end="url(#a)"></path>`,
		},
		"moves in CSS's units": {
			"", `<g style="transform:translate(1px,2px) rotate(45deg)"/>`, `<g transform="translate(1,2) rotate(45)"></g>`,
		},
		"a colour for dark pages": {
			"", `<g style="fill:light-dark(rgb(1, 2, 3), var(--x, #fff))"/>`, `<g fill="rgb(1,2,3)"></g>`,
		},
		"blending": {
			"", `<g style="mix-blend-mode:multiply;isolation:isolate"/><g style="mix-blend-mode:normal;isolation:auto"/>`,
			`<g style="isolation:isolate;mix-blend-mode:multiply"></g><g></g>`,
		},
		"selectors": {
			`*{opacity:1} path{fill:a} .b{fill:b} #c{fill:c} path.b.d{fill:d} .b,g{stroke:e}`,
			`<path/><path class="b"/><path id="c" class="b"/><path class=" d b"/><g/>`,
			`<path opacity="1" fill="a"></path><path opacity="1" fill="b" stroke="e"></path>` +
				`<path opacity="1" fill="c" stroke="e"></path><path opacity="1" fill="d" stroke="e"></path>` +
				`<g opacity="1" stroke="e"></g>`,
		},
		"later of two": {`.a{fill:a}.b{fill:b}.a{stroke:c}`, `<g class="b a"/>`, `<g fill="b" stroke="c"></g>`},
		"descendants": {
			`.a g path{fill:a} svg .b path{fill:b} path path{fill:c}`, `<g class="a"><g><path/></g></g><g><path/></g>`,
			`<g><g><path fill="a"></path></g></g><g><path></path></g>`,
		},
		"importance": {
			`g{fill:a!important} #b{fill:b} .c{fill:c ! IMPORTANT}`, `<g id="b" fill="d" style="fill:e"/><g class="c"/>`,
			`<g fill="a"></g><g fill="c"></g>`,
		},
		"comments and CDATA": {
			`<!-- x --><![CDATA[/* .a{fill:b} */ .a{fill:a}<!-- -->]]>`, `<g class="a"/>`, `<g fill="a"></g>`,
		},
		"rules that never apply": {`.a:hover{fill:b} .a:hover g{fill:b} @charset "x"; .a{fill:a}`,
			`<g class="a"><g/></g>`, `<g fill="a"><g></g></g>`},
		"rules for dark pages": {
			`.a{fill:a} @media (prefers-color-scheme: dark) { .a{fill:b} g{fill:c} } .d{fill:d}`,
			`<g class="a"/><g class="d"/>`, `<g fill="a"></g><g fill="d"></g>`,
		},
		"the root":  {`:root{--x:1} svg{width:1px;fill:a}`, `<g/>`, `<g></g>`},
		"cut short": {`.a{fill:a`, `<g class="a"/>`, `<g fill="a"></g>`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept, err := picture.Clean([]byte(in("<style>" + row.sheet + "</style>" + row.upload)))
			if err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(strings.TrimSuffix(string(kept), "</svg>"), ">")
			if got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestBackground is painted where CSS gives the drawing one.
func TestBackground(t *testing.T) {
	t.Parallel()
	for style, want := range map[string]string{
		"background-color:rgb(1, 2, 3)":                          "rgb(1,2,3)",
		"background:#fff;background-color:light-dark(#eee,#000)": "#eee",
		"background:transparent":                                 "", "background:None": "", "background:'x'": "",
	} {
		kept, err := picture.Clean([]byte(
			`<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1,0 9 8" style="` + style + `" background="red"/>`))
		if want != "" {
			want = `<rect x="-1" y="0" width="9" height="8" fill="` + want + `"></rect>`
		}
		if want = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-1,0 9 8">` + want + `</svg>`; string(kept) != want {
			t.Errorf("%s: got %s, %v", style, kept, err)
		}
	}
}

package picture_test

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"image"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"craftista/product/internal/picture"
)

// FuzzSVG: whatever comes out is one well-formed drawing of SVG's namespace, has
// none of what makes a drawing act, and comes out the same when it goes in.
func FuzzSVG(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(drawings, "*.svg"))
	ofPrograms, errOther := filepath.Glob("testdata/*.svg")
	if err := errors.Join(err, errOther); err != nil {
		f.Fatal(err)
	}
	for _, file := range append(files[:6], ofPrograms...) {
		drawing, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(drawing)
	}
	for _, text := range []string{
		in(`<use xlink:href="#a"/><g id="a" fill="url(#b) red"/><mask id="b"/>`),
		in("<title xml:space='preserve'>&#13;a<![CDATA[]]>&lt;</title>"),
		"\ufeff<?xml version='1.0'?><!-- --><s:svg xmlns:s='http://www.w3.org/2000/svg' viewBox='0,0 1e3\t.5'>" +
			"<s:path d='M0 0&#10;z' opacity=''/></s:svg>",
		in(`<script>alert(1)</script>`), in(`<g onclick="x" style="fill:url(x)"/>`),
		in(`<style>@import "x"; .a g, #b{fill:url(#c);marker:none!important}</style><a><g class="a" id="b"/></a>`),
		in(`<switch><foreignObject/><text> </text></switch><pattern id="a"><use href="#b"/></pattern><g fill="url(#a)"/>`),
		`<svg xmlns="http://www.w3.org/2000/svg" width="1mm" height="2" style="background:light-dark(red,blue)"/>`,
		`<?xml version="1.0" encoding="latin1"?>` + in("<desc>\xe9</desc>"),
		`<!DOCTYPE svg [<!ENTITY a "b">]>` + in("&a;"), in(laughs("use href=", "#%")),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, upload []byte) {
		kept, err := picture.Clean(upload)
		if err != nil {
			return
		}
		harmless(t, kept)
		if again, err := picture.Clean(kept); err != nil || !bytes.Equal(again, kept) {
			t.Errorf("cleaned again: %v\n%s\n%s", err, kept, again)
		}
	})
}

// harmless reads a drawing with rules of its own, those of what must not be.
func harmless(t *testing.T, drawing []byte) {
	allowed := strings.Fields(`svg g defs symbol use title desc path rect circle ellipse line polyline polygon
		linearGradient radialGradient stop clipPath mask marker pattern filter`)
	tokens := xml.NewDecoder(bytes.NewReader(drawing))
	for depth := 0; ; {
		token, err := tokens.Token()
		if errors.Is(err, io.EOF) && depth == 0 {
			return
		}
		if err != nil {
			t.Fatalf("%v in %s", err, drawing)
		}
		switch token := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			primitive := strings.HasPrefix(token.Name.Local, "fe") && token.Name.Local != "feImage"
			if !slices.Contains(allowed, token.Name.Local) && !primitive || token.Name.Space != "http://www.w3.org/2000/svg" ||
				depth == 0 && token.Name.Local != "svg" {
				t.Errorf("element %v at depth %d in %s", token.Name, depth, drawing)
			}
			for _, a := range token.Attr {
				harmlessAttribute(t, a, depth)
			}
			depth++
		case xml.CharData:
		default:
			t.Errorf("%T in %s", token, drawing)
		}
	}
}

var blending = regexp.MustCompile(`^(isolation:isolate)?;?(mix-blend-mode:[a-z-]+)?$`)

func harmlessAttribute(t *testing.T, a xml.Attr, depth int) {
	name, value := strings.ToLower(a.Name.Local), strings.ToLower(a.Value)
	if name == "id" || strings.HasPrefix(value, "#") || strings.HasPrefix(value, "url(#") {
		value = strings.ReplaceAll(value, ":", "")
	}
	switch {
	case name == "xmlns" && depth == 0:
	case name == "style" && blending.MatchString(value):
	case a.Name.Space != "", strings.HasPrefix(name, "on"),
		slices.Contains([]string{"style", "class", "src", "xmlns", "base"}, name),
		strings.ContainsAny(value, `\'"<>&;:/@!{}`), strings.Contains(strings.ReplaceAll(value, "url(#", ""), "url("):
		t.Errorf("attribute %v", a)
	case name == "href" && !strings.HasPrefix(value, "#"):
		t.Errorf("reference to %s", a.Value)
	}
}

// FuzzPhoto: whatever comes out is a JPEG or PNG of the size that it says, in copies, which go
// in again.
func FuzzPhoto(f *testing.F) {
	for _, metadata := range [][]byte{nil, exif(binary.LittleEndian, "II", 6)} {
		f.Add(encoded(f, "png", upright(6, 4), metadata))
		f.Add(encoded(f, "jpeg", upright(6, 4), metadata))
	}
	f.Add(encoded(f, "png", image.NewGray16(image.Rect(0, 0, 5, 5)), nil))
	f.Add([]byte(header(9, 9)))
	files, err := filepath.Glob(filepath.Join("testdata", "*.[jpw]*"))
	if err != nil || len(files) == 0 {
		f.Fatal(files, err)
	}
	for _, file := range files {
		photo, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(photo)
	}
	photos := picture.NewPhotos(0)
	f.Fuzz(func(t *testing.T, upload []byte) {
		config, _, err := image.DecodeConfig(bytes.NewReader(upload))
		if err == nil && config.Width > 1<<20/max(1, config.Height) {
			t.Skip("takes long, and no other way")
		}
		got, err := photos.Clean(t.Context(), upload)
		if err != nil {
			return
		}
		width, height := got.Width, got.Height
		for i, body := range got.Copies {
			config, format, err := image.DecodeConfig(bytes.NewReader(body))
			if err != nil || config.Width != width || config.Height != height || "image/"+format != got.MediaType {
				t.Errorf("copy %d: %s of %d by %d, %v; want %s of %d by %d", i, format, config.Width, config.Height, err,
					got.MediaType, width, height)
			}
			if _, err := photos.Clean(t.Context(), body); err != nil {
				t.Errorf("copy %d cleaned again: %v", i, err)
			}
			width, height = (width+1)/2, (height+1)/2
		}
	})
}

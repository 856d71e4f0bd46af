package card_test

import (
	"bytes"
	"image/png"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"craftista/frontend/internal/card"
	"craftista/frontend/static"

	"github.com/fyne-io/oksvg"
)

// TestDrawingsCanBeRasterised holds that the drawings keep to the SVG that the
// rasteriser supports; it draws none, which takes long.
func TestDrawingsCanBeRasterised(t *testing.T) {
	t.Parallel()
	drawings, err := static.Drawings()
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(drawings, "*.svg")
	if err != nil || len(names) == 0 {
		t.Fatalf("%d drawings, %v", len(names), err)
	}
	cards, err := card.New(drawings)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		body, err := fs.ReadFile(drawings, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oksvg.ReadIconStream(bytes.NewReader(body), oksvg.StrictErrorMode); err != nil ||
			!cards.Has(strings.TrimSuffix(name, ".svg")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCard(t *testing.T) {
	t.Parallel()
	const svg = `<svg xmlns="http://www.w3.org/2000/svg"`
	cards, err := card.New(fstest.MapFS{
		"square.svg": {Data: []byte(svg + ` viewBox="0 0 4 4"><path fill="#0000ff" d="M1 1h2v2H1z"/></svg>`)},
		"odd.svg":    {Data: []byte(svg + `><foreignObject/></svg>`)},
		"notes.txt":  {Data: []byte("no drawing")},
	})
	if err != nil {
		t.Fatal(err)
	}
	body, err := cards.PNG("square")
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil || picture.Bounds().Dx() != card.Width || picture.Bounds().Dy() != card.Height {
		t.Fatalf("%v, %v", picture.Bounds(), err)
	}
	if r, g, b, _ := picture.At(card.Width/2, card.Height/2).RGBA(); r != 0 || g != 0 || b != 0xffff {
		t.Errorf("the middle is %x %x %x, want blue", r, g, b)
	}
	if r, g, b, _ := picture.At(card.Width-1, 0).RGBA(); r>>8 != 0xf7 || g>>8 != 0xf2 || b>>8 != 0xe9 {
		t.Errorf("the corner is %x %x %x, want paper", r>>8, g>>8, b>>8)
	}
	if _, err := cards.PNG("odd"); err == nil {
		t.Error("what the rasteriser does not know is drawn without a word")
	}
	if cards.Has("notes") || cards.Has("") || cards.Has("../square") {
		t.Error("there are cards of what is no drawing")
	}
}

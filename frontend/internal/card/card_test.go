package card_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"craftista/frontend/internal/card"
	"craftista/frontend/static"

	"github.com/andybalholm/brotli"
)

const crane = "crane"

func own(t *testing.T) *card.Cards {
	t.Helper()
	drawings, err := static.Drawings()
	if err != nil {
		t.Fatal(err)
	}
	return card.New(drawings)
}

func drawing(viewBox, inner string) card.Read {
	return func(context.Context) ([]byte, error) {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="` + viewBox + `">` + inner + `</svg>`), nil
	}
}

func decode(t *testing.T, body []byte) image.Image {
	t.Helper()
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return picture
}

// at is the colour of a place of the drawing's square, which is 100 by 100.
func at(picture image.Image, x, y float64) color.RGBA {
	const unit, left, top = 5.6, card.Width/2 - 280, card.Height/2 - 280
	return color.RGBAModel.Convert(picture.At(left+int(x*unit), top+int(y*unit))).(color.RGBA)
}

var (
	blue = color.RGBA{0, 0, 0xff, 0xff}
	red  = color.RGBA{0xff, 0, 0, 0xff}
	bare = color.RGBA{}
)

// isPaper reports whether the colour is one of the sheet's.
func isPaper(c color.RGBA) bool { return c.R > 0xe8 && c.G > 0xc8 && c.B > 0xb8 && c.B < 0xf0 }

// isLike reports whether the colour is the wanted one, but for rounding, or any of the sheet's where bare is wanted.
func isLike(got, want color.RGBA) bool {
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= 2 }
	if want == bare {
		return isPaper(got)
	}
	return near(got.R, want.R) && near(got.G, want.G) && near(got.B, want.B)
}

// TestOwnDrawings draws one of the site's own and tells that it is not just the paper.
func TestOwnDrawings(t *testing.T) {
	t.Parallel()
	cards := own(t)
	body, err := cards.Card(t.Context(), crane, nil)
	if err != nil {
		t.Fatal(err)
	}
	picture := decode(t, body)
	if got := picture.Bounds(); got != image.Rect(0, 0, card.Width, card.Height) || len(body) > 100<<10 {
		t.Errorf("%v, %d bytes", got, len(body))
	}
	if got, corner := at(picture, 50, 50), (color.RGBA{0xf7, 0xf2, 0xe9, 0xff}); isPaper(got) ||
		picture.At(card.Width-1, 0) != corner {
		t.Errorf("the middle is %v, the corner %v", got, picture.At(card.Width-1, 0))
	}
}

// TestEachDrawing of the site can be drawn.
func TestEachDrawing(t *testing.T) {
	t.Parallel()
	drawings, err := fs.Glob(os.DirFS("../../static/origami"), "*.svg")
	if err != nil || len(drawings) == 0 {
		t.Fatalf("%d drawings, %v", len(drawings), err)
	}
	cards := own(t)
	for _, name := range drawings {
		name = strings.TrimSuffix(name, ".svg")
		if _, err := cards.Card(t.Context(), name, nil); err != nil || !cards.Has(name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHas(t *testing.T) {
	t.Parallel()
	cards := card.New(fstest.MapFS{"crane.svg": {}, "notes.txt": {}})
	for _, name := range []string{"notes", "", "../crane", "/crane", "crane.svg", "crane\x00"} {
		if cards.Has(name) {
			t.Errorf("there is a card of %q", name)
		}
	}
	if _, err := cards.Card(t.Context(), crane, nil); !cards.Has(crane) || !errors.Is(err, card.ErrNotDrawn) {
		t.Errorf("an empty drawing: %v", err)
	}
	if _, err := cards.Card(t.Context(), "none", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a drawing that is not there: %v", err)
	}
}

// TestUploadsAreReadOnce, also those without a card, and again after an error.
func TestUploadsAreReadOnce(t *testing.T) {
	t.Parallel()
	cards, failure := own(t), errors.New("unavailable")
	failing := func(context.Context) ([]byte, error) { return nil, failure }
	for inner, want := range map[string]error{"": nil, "</g>": card.ErrNotDrawn} {
		if _, err := cards.Card(t.Context(), inner, failing); !errors.Is(err, failure) {
			t.Errorf("got %v, want %v", err, failure)
		}
		first, err := cards.Card(t.Context(), inner, drawing("0 0 9 9", inner))
		second, again := cards.Card(t.Context(), inner, failing)
		same := bytes.Equal(first, second) && (first == nil) == (want != nil)
		if !errors.Is(err, want) || !errors.Is(again, want) || !same {
			t.Errorf("%q: got %d bytes, %v, then %d, %v", inner, len(first), err, len(second), again)
		}
	}
}

// TestUploads draws what programs write as browsers do.
func TestUploads(t *testing.T) {
	t.Parallel()
	square := `<path id="a" fill="#00f" d="M0 0h100v100H0z"/>`
	for name, row := range map[string]struct {
		viewBox, inner string
		want           map[[2]float64]color.RGBA
	}{
		"wide, and begins elsewhere": {
			"100 10 20 10", `<path fill="#00f" d="M90 0h20v30H90z"/><path fill="#f00" d="M110 10h10v10h-10z"/>`,
			map[[2]float64]color.RGBA{{2, 50}: blue, {98, 50}: red, {50, 20}: bare},
		},
		"high": {"0 0 50 100", square, map[[2]float64]color.RGBA{{20, 50}: bare, {30, 2}: blue, {70, 98}: blue}},
		"half transparent": {
			"0 0 100 100", `<path d="M0 0h100v100H0z" fill="#fff"/><path d="M0 0h100v100H0z" fill="#f00" opacity=".5"/>`,
			map[[2]float64]color.RGBA{{50, 50}: {0xff, 0x80, 0x80, 0xff}},
		},
		"transparent ground": {
			"0 0 100 100", `<path d="M0 0h100v100H0z" fill="#000" fill-opacity=".5"/>`,
			map[[2]float64]color.RGBA{{50, 50}: {0x7b, 0x6f, 0x69, 0xff}},
		},
		"strokes, scaled": {
			"0 0 100 100", `<g transform="scale(10)" fill="none"><path stroke="#00f" d="M2 9V2h7"/>` +
				`<path stroke="#f00" stroke-width="4" d="M7 5v4"/></g>`,
			map[[2]float64]color.RGBA{{24, 50}: blue, {16, 16}: blue, {52, 70}: red, {50, 96}: bare},
		},
		"holes, dashes and arcs": {
			"0 0 100 100", `<path fill="#00f" fill-rule="evenodd" d="M0 0h100v100H0zM20 20h60v60H20z"/>` +
				`<path stroke="#f00" stroke-width="10" stroke-dasharray="20 20" d="M20 50h60"/>` +
				`<path fill="#f00" d="M40 30a5 5 0 0110 0 5 5 0 0110 0z"/>`,
			map[[2]float64]color.RGBA{
				{10, 50}: blue, {50, 70}: bare, {30, 50}: red, {50, 50}: bare, {45, 27}: red, {55, 27}: red,
			},
		},
		"use, clip and gradient": {
			"0 0 100 100", `<clipPath id="c"><path d="M0 0h50v100H0z"/></clipPath><linearGradient id="g" x1="0" x2="100" ` +
				`gradientUnits="userSpaceOnUse" gradientTransform="scale(1e3)"><stop stop-color="#f00"/></linearGradient><defs>` +
				square + `</defs><use href="#a" clip-path="url(#c)"/><path fill="url(#g)" d="M60 0h40v100H60z"/>`,
			map[[2]float64]color.RGBA{{25, 50}: blue, {55, 50}: bare, {80, 50}: red},
		},
		"hidden": {"0 0 100 100", `<g display="none">` + square + `</g>`, map[[2]float64]color.RGBA{{50, 50}: bare}},
		"far away": {
			"0 0 100 100", square + `<path fill="#f00" d="M0 200L1e9-1e9L9 9z"/>`,
			map[[2]float64]color.RGBA{{2, 50}: blue},
		},
	} {
		body, err := own(t).Card(t.Context(), name, drawing(row.viewBox, row.inner))
		if err != nil || body == nil {
			t.Errorf("%s: %d bytes, %v", name, len(body), err)
			continue
		}
		picture := decode(t, body)
		for place, want := range row.want {
			if got := at(picture, place[0], place[1]); !isLike(got, want) {
				t.Errorf("%s: at %v is %v, want %v", name, place, got, want)
			}
		}
	}
}

// TestUploadsWithoutACard: what is no drawing, what is much too long, and what takes too much memory.
func TestUploadsWithoutACard(t *testing.T) {
	t.Parallel()
	cards := own(t)
	layers := strings.Repeat(`<g opacity=".9"><path d="M0 0h9v9z"/>`, 200) + strings.Repeat("</g>", 200)
	for name, read := range map[string]card.Read{
		"broken": drawing("0 0 9 9", "<g>"), "long": drawing("0 0 1 9999", ""), "large": drawing("0 0 9 9", layers),
	} {
		body, err := cards.Card(t.Context(), name, read)
		if !errors.Is(err, card.ErrNotDrawn) {
			t.Errorf("%s: a card of %d bytes, %v", name, len(body), err)
		}
	}
	body, err := cards.Card(t.Context(), "after it", drawing("0 0 9 9", ""))
	if err != nil || body == nil {
		t.Errorf("after these: %d bytes, %v", len(body), err)
	}
}

// TestVendored compares resvg with the file of the package that it is from.
func TestVendored(t *testing.T) {
	t.Parallel()
	file, err := os.Open("resvg.wasm.br")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	sum := sha256.New()
	if _, err := io.Copy(sum, brotli.NewReader(file)); err != nil {
		t.Fatal(err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != "22bf6e9f9a100d972da0411a69c5ba504367fc1fa87b3b64e3f35e53926d2d70" {
		t.Errorf("it has the sum %s", got)
	}
}

package card_test

import (
	"bytes"
	"context"
	"errors"
	"image/png"
	"strings"
	"testing"
	"testing/fstest"

	"craftista/frontend/internal/card"
)

func noCards(t *testing.T) *card.Cards {
	t.Helper()
	cards, err := card.New(fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	return cards
}

type read func(context.Context) ([]byte, error)

func drawing(viewBox, inner string) read {
	return func(context.Context) ([]byte, error) {
		return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="` + viewBox + `">` + inner + `</svg>`), nil
	}
}

// TestUploadsAreReadOnce, also those without a card, and again after an error.
func TestUploadsAreReadOnce(t *testing.T) {
	t.Parallel()
	cards, failure := noCards(t), errors.New("unavailable")
	failing := func(context.Context) ([]byte, error) { return nil, failure }
	for _, inner := range []string{"", `<use href="#a"/>`} {
		if _, err := cards.Upload(t.Context(), inner, failing); !errors.Is(err, failure) {
			t.Errorf("got %v, want %v", err, failure)
		}
		first, err := cards.Upload(t.Context(), inner, drawing("0 0 9 9", inner))
		second, again := cards.Upload(t.Context(), inner, failing)
		if err != nil || again != nil || !bytes.Equal(first, second) || (first == nil) != (inner != "") {
			t.Errorf("%q: got %d bytes, %v, then %d, %v", inner, len(first), err, len(second), again)
		}
	}
}

// TestUploadFits: what is not square, or begins elsewhere, stands whole in the middle.
func TestUploadFits(t *testing.T) {
	t.Parallel()
	body, err := noCards(t).Upload(t.Context(), "wide", drawing("100 10 20 10",
		`<path fill="#00f" d="M100 10h10v10h-10z"/><path fill="#f00" d="M110 10h10v10h-10z"/>`))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		x, y    int
		r, g, b uint32
	}{
		"left": {card.Width/2 - 270, card.Height / 2, 0, 0, 0xff}, "right": {card.Width/2 + 270, card.Height / 2, 0xff, 0, 0},
		"above": {card.Width/2 - 270, card.Height/2 - 150, 0xf7, 0xf2, 0xe9},
	} {
		if r, g, b, _ := picture.At(row.x, row.y).RGBA(); r>>8 != row.r || g>>8 != row.g || b>>8 != row.b {
			t.Errorf("%s: got %x %x %x", name, r>>8, g>>8, b>>8)
		}
	}
}

// TestStrokesOfUploads are as wide, and meet, as in browsers.
func TestStrokesOfUploads(t *testing.T) {
	t.Parallel()
	body, err := noCards(t).Upload(t.Context(), "strokes", drawing("0 0 10 10",
		`<path fill="none" stroke="#00f" d="M2 9V2h7"/><path stroke="#f00" stroke-width="4" d="M7 5v4"/>`))
	if err != nil {
		t.Fatal(err)
	}
	picture, err := png.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	const unit, left, top = 56, card.Width/2 - 280, card.Height/2 - 280
	for name, row := range map[string]struct{ x, y, r, b float64 }{
		"edge": {2.4, 5, 0, 0xff}, "corner": {1.6, 1.6, 0, 0xff}, "wide": {5.2, 7, 0xff, 0},
	} {
		r, g, b, _ := picture.At(left+int(row.x*unit), top+int(row.y*unit)).RGBA()
		if r>>8 != uint32(row.r) || g != 0 || b>>8 != uint32(row.b) {
			t.Errorf("%s: got %x %x %x", name, r>>8, g>>8, b>>8)
		}
	}
}

// TestUploadsWithoutACard: what the rasteriser would draw wrong, or for too long.
func TestUploadsWithoutACard(t *testing.T) {
	t.Parallel()
	cards := noCards(t)
	shape := `<path fill="#00f" d="M0 0h9v9z"/>`
	for name, inner := range map[string]string{
		"use":           `<g id="a"/><use href="#a"/>`,
		"dashes":        `<path stroke="#000" stroke-dasharray="0" d="M0 0h9"/>`,
		"holes":         `<path fill-rule="evenodd" d="M0 0h9v9z"/>`,
		"clip":          `<clipPath id="a"/><g clip-path="url(#a)"/>`,
		"hidden":        `<g display="none"/>`,
		"arcs":          `<path fill="#00f" d="M0 0a1 1 0 01 9 9"/>`,
		"wide strokes":  `<path transform="scale(2)" stroke="#000" d="M0 0h9"/>`,
		"pattern":       `<pattern id="a"/><path fill="url(#a)" d="M0 0h9v9z"/>`,
		"far away":      `<path fill="#00f" d="M0 0L1e9-1e9L9 9z"/>`,
		"farther":       `<path fill="#00f" d="M0 0L1e308-1e308L9 9z"/>`,
		"far by scales": strings.Repeat(`<g transform="scale(1e30)">`, 20) + shape + strings.Repeat("</g>", 20),
		"many lines":    `<path fill="#00f" d="M0 0` + strings.Repeat("l1 1-1-1", 60_000)[:240_000] + `"/>`,
		"many shapes":   strings.Repeat(shape, 301),
		"many colours": `<linearGradient id="a">` + strings.Repeat(`<stop offset="0"/>`, 500) + `</linearGradient>` +
			strings.Repeat(`<path fill="url(#a)" d="M0 0h9v9z"/>`, 3),
		"large":         "<!--" + strings.Repeat("x", 256<<10) + "-->",
		"not SVG":       `<foreignObject/>`,
		"broken number": `<path d="M0 0 L--"/>`,
	} {
		if body, err := cards.Upload(t.Context(), name, drawing("0 0 9 9", inner)); err != nil || body != nil {
			t.Errorf("%s: a card of %d bytes, %v", name, len(body), err)
		}
	}
}

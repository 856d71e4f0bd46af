// Package card draws the pictures that networks show beside a link to the site.
// They want PNG, so each drawing is rasterised, on a sheet of paper, when it is
// first asked for.
package card

import (
	"bytes"
	_ "embed"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
)

// Width and Height are a card's size in pixels, the shape that Open Graph readers
// show uncropped.
const (
	Width  = 1200
	Height = 630
)

const (
	art  = 560 // of the drawing's square, in pixels
	left = (Width - art) / 2
	top  = (Height - art) / 2
)

//go:embed paper.svg
var paper []byte

// Cards are the pictures by drawing. It is safe for concurrent use.
type Cards struct {
	png     map[string]func() ([]byte, error)
	drawing chan struct{}     // holds one element while an upload is drawn; guards uploads
	uploads map[string][]byte // by name; nil is one that cannot be drawn
}

// New returns the cards of all drawings, which are files named crane.svg and so
// on. None is drawn yet.
func New(drawings fs.FS) (*Cards, error) {
	names, err := fs.Glob(drawings, "*.svg")
	if err != nil {
		return nil, fmt.Errorf("list drawings: %w", err)
	}
	c := &Cards{
		png: map[string]func() ([]byte, error){}, drawing: make(chan struct{}, 1), uploads: map[string][]byte{},
	}
	for _, name := range names {
		c.png[strings.TrimSuffix(name, path.Ext(name))] = sync.OnceValues(func() ([]byte, error) {
			return render(drawings, name)
		})
	}
	return c, nil
}

// Has reports whether there is a card of the drawing ("crane").
func (c *Cards) Has(drawing string) bool { return c.png[drawing] != nil }

// PNG is the card of a drawing that there is. The first call takes some tenths of
// a second; the bytes, about 40 KB, are kept.
func (c *Cards) PNG(drawing string) ([]byte, error) { return c.png[drawing]() }

func render(drawings fs.FS, name string) ([]byte, error) {
	drawing, err := fs.ReadFile(drawings, name)
	if err != nil {
		return nil, fmt.Errorf("read drawing: %w", err)
	}
	drawn, err := rasterise(drawing, art, art)
	if err != nil {
		return nil, fmt.Errorf("draw %s: %w", name, err)
	}
	return onPaper(drawn)
}

// onPaper is the card with what was drawn in its middle.
func onPaper(drawn image.Image) ([]byte, error) {
	sheet, err := rasterise(paper, Width, Height)
	if err != nil {
		return nil, fmt.Errorf("draw paper: %w", err)
	}
	draw.Draw(sheet, image.Rect(left, top, left+art, top+art), drawn, image.Point{}, draw.Over)
	var b bytes.Buffer
	if err := png.Encode(&b, sheet); err != nil {
		return nil, fmt.Errorf("encode card: %w", err)
	}
	return b.Bytes(), nil
}

func rasterise(svg []byte, width, height int) (*image.RGBA, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(svg), oksvg.StrictErrorMode)
	if err != nil {
		return nil, err
	}
	icon.SetTarget(0, 0, float64(width), float64(height))
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	icon.Draw(rasterx.NewDasher(width, height, rasterx.NewScannerGV(width, height, img, img.Bounds())), 1)
	return img, nil
}

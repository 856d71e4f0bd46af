// Package card draws the pictures that networks show beside a link to the site. They want PNG, so each drawing is
// rasterised, on a sheet of paper, when it is first asked for.
package card

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"runtime/debug"
	"time"

	"craftista/frontend/internal/pagecache"
)

// The size of a card in pixels, which is the shape that Open Graph readers show uncropped, and other limits.
const (
	Width    = 1200
	Height   = 630
	art      = 560 // the longer side of the drawing, in pixels
	maxCards = 100 // that are cached, of 30 to 750 KB each
)

//go:embed paper.svg
var paper []byte

// ErrNotDrawn is for a drawing that is none, is much too long, or takes too much time or memory.
var ErrNotDrawn = errors.New("the drawing cannot be drawn")

// Cards are the pictures by drawing. It is safe for concurrent use.
type Cards struct {
	drawings fs.FS
	cached   *pagecache.Values[card] // by name
	busy     chan struct{}           // holds one element while a card is drawn; guards sheet
	sheet    *image.RGBA             // the paper; nil before the first card
}

type card struct {
	png []byte
	err error // ErrNotDrawn
}

// New returns the cards of the site's own drawings, which are files named crane.svg and so on, and of uploads.
func New(drawings fs.FS) *Cards {
	cached := pagecache.NewValues[card](24*time.Hour, maxCards)
	return &Cards{drawings: drawings, cached: cached, busy: make(chan struct{}, 1)}
}

// Has reports whether the site has the drawing ("crane").
func (c *Cards) Has(drawing string) bool {
	_, err := fs.Stat(c.drawings, drawing+".svg")
	return err == nil
}

// Read returns a drawing, as SVG.
type Read func(context.Context) ([]byte, error)

// Card is the card of one of the site's own drawings or, with read, of an SVG that the catalogue made harmless, whose
// name stands for its content. It is read if there is no card in the cache. One is drawn at a time, mostly in 0.2 s;
// the first of a process takes one or two seconds more. The error is ErrNotDrawn, which is cached too, or another one.
// The end of ctx ends waiting and reading.
func (c *Cards) Card(ctx context.Context, name string, read Read) ([]byte, error) {
	if read == nil {
		read = func(context.Context) ([]byte, error) { return fs.ReadFile(c.drawings, name+".svg") }
	}
	made, err := c.cached.Load(ctx, name, func(ctx context.Context) (card, error) {
		svg, err := read(ctx)
		if err != nil {
			return card{}, err
		}
		select {
		case c.busy <- struct{}{}:
			defer func() { <-c.busy }()
			defer debug.FreeOSMemory() // before the next one begins, which would come on top
			return c.draw(svg)
		case <-ctx.Done():
			return card{}, ctx.Err()
		}
	})
	return made.png, cmp.Or(err, made.err)
}

// draw is the card with the drawing in its middle.
func (c *Cards) draw(svg []byte) (_ card, err error) {
	if c.sheet == nil {
		if c.sheet, err = rasterise(paper, Width); err != nil {
			return card{}, fmt.Errorf("draw paper: %w", err)
		}
	}
	drawn, err := rasterise(svg, art)
	if err != nil {
		return card{err: fmt.Errorf("%w: %w", ErrNotDrawn, err)}, nil
	}
	whole := image.NewRGBA(c.sheet.Rect)
	copy(whole.Pix, c.sheet.Pix)
	middle := image.Pt(Width-drawn.Rect.Dx(), Height-drawn.Rect.Dy()).Div(2)
	draw.Draw(whole, drawn.Rect.Add(middle), drawn, image.Point{}, draw.Over)
	var b bytes.Buffer
	err = png.Encode(&b, whole)
	return card{png: b.Bytes()}, err
}

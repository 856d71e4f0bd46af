// Package card draws the pictures that networks show beside a link to the site.
// They want PNG, so each drawing is rasterised, on a sheet of paper, when it is
// first asked for.
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
	"time"

	"craftista/frontend/internal/pagecache"
)

// The size of a card in pixels, which is the shape that Open Graph readers show uncropped, and other limits.
const (
	Width    = 1200
	Height   = 630
	art      = 560 // the longer side of the drawing, in pixels
	maxCards = 100 // that are cached, of 30 to 300 KB each
)

//go:embed paper.svg
var paper []byte

// ErrNotDrawn is the error for a drawing that is none, or takes too much time or memory.
var ErrNotDrawn = errors.New("the drawing cannot be drawn")

// Cards are the pictures by drawing. It is safe for concurrent use.
type Cards struct {
	drawings fs.FS
	cached   *pagecache.Values[card] // by name
	drawing  chan struct{}           // holds one element while a card is drawn; guards sheet
	sheet    *image.RGBA             // the paper; nil before the first card
}

type card struct {
	png []byte
	err error
}

// New returns the cards of the site's own drawings, which are files named
// crane.svg and so on, and of uploads. None is drawn yet.
func New(drawings fs.FS) *Cards {
	cached := pagecache.NewValues[card](24*time.Hour, maxCards)
	return &Cards{drawings: drawings, cached: cached, drawing: make(chan struct{}, 1)}
}

// Has reports whether the site has the drawing ("crane").
func (c *Cards) Has(drawing string) bool {
	_, err := fs.Stat(c.drawings, drawing+".svg")
	return err == nil
}

// Own is the card of one of the site's own drawings.
func (c *Cards) Own(ctx context.Context, drawing string) ([]byte, error) {
	read := func(context.Context) ([]byte, error) { return fs.ReadFile(c.drawings, drawing+".svg") }
	return c.Upload(ctx, drawing, read)
}

// Upload is the card of an SVG that the catalogue made harmless; its name stands
// for its content, which is read if there is no card in the cache. One is drawn at
// a time, in a tenth of a second or two; the first of a process takes one or two
// seconds more. The error is ErrNotDrawn, which is cached too, or of reading.
func (c *Cards) Upload(ctx context.Context, name string, read func(context.Context) ([]byte, error)) ([]byte, error) {
	drawn, err := c.cached.Load(ctx, name, func(ctx context.Context) (card, error) {
		svg, err := read(ctx)
		if err != nil {
			return card{}, err
		}
		select {
		case c.drawing <- struct{}{}:
			defer func() { <-c.drawing }()
		case <-ctx.Done():
			return card{}, ctx.Err()
		}
		body, err := c.draw(svg)
		if err != nil {
			err = fmt.Errorf("%w: %w", ErrNotDrawn, err)
		}
		return card{body, err}, nil
	})
	return drawn.png, cmp.Or(err, drawn.err)
}

// draw is the card with the drawing in its middle.
func (c *Cards) draw(svg []byte) (_ []byte, err error) {
	if c.sheet == nil {
		if c.sheet, err = rasterise(paper, Width); err != nil {
			return nil, err
		}
	}
	drawn, err := rasterise(svg, art)
	if err != nil {
		return nil, err
	}
	card := image.NewRGBA(c.sheet.Rect)
	copy(card.Pix, c.sheet.Pix)
	middle := image.Pt(Width-drawn.Rect.Dx(), Height-drawn.Rect.Dy()).Div(2)
	draw.Draw(card, drawn.Rect.Add(middle), drawn, image.Point{}, draw.Over)
	var b bytes.Buffer
	err = png.Encode(&b, card)
	return b.Bytes(), err
}

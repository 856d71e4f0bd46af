package card

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"regexp"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"
	"golang.org/x/image/math/fixed"
)

// The limits of an upload's card. The rasteriser has none of its own, and far
// coordinates, many lines and many large shapes cost it time: these are a second
// or two of one processor.
const (
	maxUpload  = 256 << 10 // bytes
	maxUploads = 100       // cards that are cached
	maxLines   = 50_000
	maxDraws   = 300 // each counts the stops of gradients, too
	farthest   = 4 * art
)

// errTooMuch is what drawing panics with that costs too much.
var errTooMuch = errors.New("the drawing is too much for a card")

// beyond is what the rasteriser does not know, or draws in another way than
// browsers do, such as arcs.
var beyond = regexp.MustCompile(`<(?:use|svg [^>]*><svg|g [^>]*><svg)|dasharray|evenodd|clip-path|mask|filter|marker|` +
	`display|visibility|mix-blend|isolation|currentColor|inherit|%"|spreadMethod|paint-order|userSpaceOnUse|` +
	`gradientTransform|vector-effect| d="[^"]*[Aa]`)

// widening are the transforms that the rasteriser does not apply to the width of strokes.
var widening = regexp.MustCompile(`(?:scale|matrix|skew[XY]) ?\(`)

// The rasteriser's own defaults are others than SVG's.
var (
	root     = []byte("<svg ")
	defaults = []byte(`<svg stroke-width="1" stroke-linejoin="miter" `)
)

// Upload is the card of an SVG that the catalogue made harmless; its name stands
// for its content, which is read if there is no card in the cache. It is nil if the rasteriser cannot draw it as
// browsers do, or not within the limits. One is drawn at a time.
func (c *Cards) Upload(ctx context.Context, name string, read func(context.Context) ([]byte, error)) ([]byte, error) {
	select {
	case c.drawing <- struct{}{}:
		defer func() { <-c.drawing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if card, ok := c.uploads[name]; ok {
		return card, nil
	}
	svg, err := read(ctx)
	if err != nil {
		return nil, err
	}
	var card []byte
	if drawn, err := drawUpload(svg); err == nil {
		if card, err = onPaper(drawn); err != nil {
			return nil, err
		}
	}
	if len(c.uploads) >= maxUploads {
		clear(c.uploads)
	}
	c.uploads[name] = card
	return card, nil
}

// drawUpload draws in a square what a stranger wrote.
func drawUpload(svg []byte) (drawn *image.RGBA, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			drawn, err = nil, fmt.Errorf("%v", cause)
		}
	}()
	strokes := bytes.Contains(svg, []byte(` stroke="`))
	if len(svg) > maxUpload || beyond.Match(svg) || strokes && widening.Match(svg) {
		return nil, errTooMuch
	}
	icon, err := oksvg.ReadIconStream(bytes.NewReader(bytes.Replace(svg, root, defaults, 1)), oksvg.StrictErrorMode)
	if err != nil {
		return nil, err
	}
	box := icon.ViewBox
	scale := art / max(box.W, box.H)
	icon.Transform = rasterx.Identity.Translate((art-box.W*scale)/2, (art-box.H*scale)/2).
		Scale(scale, scale).Translate(-box.X, -box.Y)
	for i := range icon.SVGPaths {
		icon.SVGPaths[i].LineWidth *= scale // which the rasteriser forgets, too
	}
	drawn = image.NewRGBA(image.Rect(0, 0, art, art))
	scanner := &bounded{
		Scanner: rasterx.NewScannerGV(art, art, drawn, drawn.Bounds()), stops: bytes.Count(svg, []byte("<stop")),
	}
	icon.Draw(rasterx.NewDasher(art, art, scanner), 1)
	return drawn, nil
}

// bounded is a scanner that panics when it is asked for too much.
type bounded struct {
	rasterx.Scanner

	stops, lines, draws int
}

// Start begins a path.
func (b *bounded) Start(p fixed.Point26_6) {
	b.check(p)
	b.Scanner.Start(p)
}

// Line continues a path.
func (b *bounded) Line(p fixed.Point26_6) {
	b.check(p)
	b.Scanner.Line(p)
}

// Draw fills a path.
func (b *bounded) Draw() {
	if b.draws += 1 + b.stops; b.draws > maxDraws {
		panic(errTooMuch)
	}
	b.Scanner.Draw()
}

func (b *bounded) check(p fixed.Point26_6) {
	b.lines++
	if b.lines > maxLines || max(p.X, p.Y) > fixed.I(farthest) || min(p.X, p.Y) < fixed.I(-farthest) {
		panic(errTooMuch)
	}
}

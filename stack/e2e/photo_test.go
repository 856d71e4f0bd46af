package e2e

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// phonePhoto is a JPEG of 800 by 600 pixels that a phone took while it was held upright: it is to be
// turned (EXIF's orientation 6), and tells where it was taken.
func phonePhoto(t *testing.T) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, 800, 600))
	draw.Draw(m, m.Rect, image.NewUniform(color.RGBA{190, 60, 40, 255}), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	const place = "52.5 N, 13.4 E, here I live\x00"
	tiff := []byte("MM\x00\x2a\x00\x00\x00\x08\x00\x02" +
		"\x01\x0e\x00\x02\x00\x00\x00\x1c\x00\x00\x00\x26" + // a description, of 28 bytes at 38
		"\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00" + // the orientation
		"\x00\x00\x00\x00" + place)
	metadata := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(2+6+len(tiff)))
	metadata = append(append(metadata, "Exif\x00\x00"...), tiff...)
	return bytes.Join([][]byte{b.Bytes()[:2], metadata, b.Bytes()[2:]}, nil)
}

// TestPhoto: a curator sees the photo before it is sent, and everybody does afterwards: upright, in
// the size that suits, and without the place where it was taken.
func TestPhoto(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	photo := filepath.Join(t.TempDir(), "crane.jpg")
	if err := os.WriteFile(photo, phonePhoto(t), 0o600); err != nil {
		t.Fatal(err)
	}
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, script bool) {
		b.become(s, "curator")
		name := "Crane " + newName()
		b.goTo("/admin/pieces/new")
		b.fill("#name", name)
		b.fill("#description", "A real one.")
		b.choose("#difficulty", "easy")
		b.fill("#folds", "12")
		b.fill("#paper", "washi")
		b.upload(photo)
		if script {
			b.until("the preview is there", b.js(`document.querySelector(".preview img")?.naturalHeight === 800`))
			b.clean("a form with a photo")
		}
		b.submit("#piece-form")
		b.see("#done", name+" was added to the gallery.")
		b.click("#done a")
		b.see("h1", name)
		b.wantPhoto(".piece [data-photo] img")
		if script {
			b.until("the browser shows a copy", b.js(`document.querySelector(".piece img").currentSrc.includes("-600x800")`))
			b.clean("a piece with a photo")
		}
		b.goTo("/?sort=newest")
		b.wantPhoto(".card [data-photo] img")
	})
}

// wantPhoto fails the test unless the image says how large it is, and all its copies are photos that
// tell nothing else.
func (b *tab) wantPhoto(selector string) {
	b.t.Helper()
	var srcset, width, height string
	for name, value := range map[string]*string{"srcset": &srcset, "width": &width, "height": &height} {
		got, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS(selector), name))
		if err != nil {
			b.t.Fatal(err)
		}
		*value = got.Value
	}
	if width != "600" || height != "800" {
		b.t.Errorf("the photo is %s by %s", width, height)
	}
	widths := map[string]int{}
	for copied := range strings.SplitSeq(srcset, ", ") {
		url, says, _ := strings.Cut(copied, " ")
		got := do(b.t, http.DefaultClient, get(b.t, b.front+url))
		config, err := jpeg.DecodeConfig(strings.NewReader(got.Body))
		if err != nil || got.Header.Get("Content-Type") != "image/jpeg" || strings.Contains(got.Body, "here I live") {
			b.t.Errorf("%s: %d %v, %v", url, got.Status, got.Header, err)
		}
		widths[says] = config.Width
	}
	if len(widths) != 3 || widths["600w"] != 600 || widths["300w"] != 300 || widths["150w"] != 150 {
		b.t.Errorf("the copies are %v", widths)
	}
}

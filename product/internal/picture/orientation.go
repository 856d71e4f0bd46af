package picture

import (
	"bytes"
	"image"
	"io"

	"github.com/bep/imagemeta"
	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
	"golang.org/x/image/riff"
)

// exifOrientation is how a camera was held, 1 to 8 (CIPA DC-008, 4.6.5): which side
// of the stored picture is its top.
type exifOrientation uint16

// orientation is what the metadata say; 1, upright, if they say nothing of use.
func orientation(upload []byte, format string) exifOrientation {
	found := exifOrientation(1)
	formats := map[string]imagemeta.ImageFormat{"jpeg": imagemeta.JPEG, "png": imagemeta.PNG, "webp": imagemeta.TIFF}
	if format == "webp" {
		upload = metadataOfWebP(upload)
	}
	if format == "gif" || upload == nil {
		return found
	}
	_, _ = imagemeta.Decode(imagemeta.Options{ // an error is metadata that are no use
		R: bytes.NewReader(upload), ImageFormat: formats[format], Sources: imagemeta.EXIF,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool { return tag.Tag == "Orientation" && tag.Namespace == "IFD0" },
		HandleTag: func(tag imagemeta.TagInfo) error {
			if value, ok := tag.Value.(uint16); ok && value >= 1 && value <= 8 {
				found = exifOrientation(value)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

// metadataOfWebP is the chunk with them, nil if there is none. They have the form of a TIFF
// file. imagemeta finds it only behind chunks of even lengths.
func metadataOfWebP(upload []byte) []byte {
	_, chunks, err := riff.NewReader(bytes.NewReader(upload))
	for err == nil {
		var id riff.FourCC
		var data io.Reader
		if id, _, data, err = chunks.Next(); err == nil && id == (riff.FourCC{'E', 'X', 'I', 'F'}) {
			metadata, _ := io.ReadAll(data)
			return bytes.TrimPrefix(metadata, []byte("Exif\x00\x00"))
		}
	}
	return nil
}

// swaps reports whether width becomes height.
func (o exifOrientation) swaps() bool { return o >= 5 }

// apply turns and mirrors the pixels, so that their top is up.
func (o exifOrientation) apply(pixels *image.RGBA) *image.RGBA {
	w, h := float64(pixels.Rect.Dx()), float64(pixels.Rect.Dy())
	move, ok := map[exifOrientation]f64.Aff3{
		2: {-1, 0, w, 0, 1, 0},
		3: {-1, 0, w, 0, -1, h},
		4: {1, 0, 0, 0, -1, h},
		5: {0, 1, 0, 1, 0, 0},
		6: {0, -1, h, 1, 0, 0},
		7: {0, -1, h, -1, 0, w},
		8: {0, 1, 0, -1, 0, w},
	}[o]
	if !ok {
		return pixels
	}
	size := pixels.Rect.Size()
	if o.swaps() {
		size.X, size.Y = size.Y, size.X
	}
	turned := image.NewRGBA(image.Rectangle{Max: size})
	draw.NearestNeighbor.Transform(turned, move, pixels, pixels.Rect, draw.Src, nil)
	return turned
}

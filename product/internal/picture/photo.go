package picture

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	_ "image/gif" // of which image.Decode reads the first frame
	"image/jpeg"
	"image/png"
	"runtime"
	"runtime/debug"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"

	"golang.org/x/image/draw"
	_ "golang.org/x/image/webp"
	"golang.org/x/sync/semaphore"
)

// The media types of photos.
const (
	GIF  = "image/gif"
	JPEG = "image/jpeg"
	PNG  = "image/png"
	WebP = "image/webp"
)

// The limits of a photo. The site and the documents name the first two.
const (
	MaxPhoto  = 12 << 20         // bytes of an upload
	maxPixels = 50_000_000       // of an upload, as its header tells before anything is inflated
	maxMemory = 9 * maxPixels    // bytes for all that are decoded at a time: two a pixel channel, and the half of it
	maxWidth  = 1280             // of the largest copy: a page's picture, twice as dense
	maxHeight = 2 * maxWidth     // of the largest copy
	maxCopy   = 2 << 20          // bytes, in step with the schema and with what the site hands on
	copies    = 3                // a page's, a card's twice as dense, a card's
	quality   = 80               // of a JPEG
	maxScans  = 100              // of a JPEG, each of which has the decoder go through all pixels; cameras write 1 to 12
	maxBusy   = 8                // uploads at a time, each of which may hold MaxPhoto
	maxWait   = 20 * time.Second // until a decoder is free
)

// Photos makes photos safe to show, with bounded memory. It is safe for concurrent
// use.
type Photos struct {
	busy     *semaphore.Weighted // counts uploads
	decoding *semaphore.Weighted // counts bytes
	share    int64               // what each decoding takes of them at least, so that there is one per core at most
}

// NewPhotos decodes at most so many photos at a time; 0 is one for each core.
func NewPhotos(atOnce int) *Photos {
	if atOnce == 0 {
		atOnce = runtime.GOMAXPROCS(0)
	}
	return &Photos{
		busy: semaphore.NewWeighted(maxBusy), decoding: semaphore.NewWeighted(maxMemory), share: maxMemory / int64(atOnce),
	}
}

// Enter is called before an upload is read, and leave after it was dealt with. It is
// Unavailable while as many others are under way as memory is meant for.
func (p *Photos) Enter() (leave func(), err error) {
	if !p.busy.TryAcquire(1) {
		return nil, busy()
	}
	return func() { p.busy.Release(1) }, nil
}

func busy() *fault.Error {
	return &fault.Error{
		Kind: fault.Unavailable, RetryAfter: 5 * time.Second,
		Message: "too many pictures are being uploaded, try again shortly",
	}
}

// Clean returns a JPEG, PNG or WebP, or the first frame of a GIF, as it is stored: the pixels
// alone, turned upright, in copies for cards and pages. They are PNG if they have
// transparency, or if it is a PNG or GIF that is no larger as PNG, else JPEG. A photo
// that breaks a rule is Invalid, with the reason; Unavailable is as for Enter.
func (p *Photos) Clean(ctx context.Context, upload []byte) (core.Upload, error) {
	config, format, err := image.DecodeConfig(bytes.NewReader(upload))
	switch {
	case err != nil || config.Width < 1 || config.Height < 1:
		return core.Upload{}, refuse("is not a JPEG, PNG, WebP or GIF that can be read")
	case bytes.Count(upload, []byte{0xff, 0xda}) > maxScans && format == "jpeg":
		return core.Upload{}, refuse("takes too much time to read; save it as an ordinary JPEG")
	case config.Width > maxPixels/config.Height:
		return core.Upload{}, refuse("is %d by %d pixels, more than %d million in all",
			config.Width, config.Height, maxPixels/1_000_000)
	}
	need := max(int64(float64(config.Width*config.Height)*(1+bytesPerPixel(config, format, upload))), p.share)
	if need > maxMemory {
		return core.Upload{}, refuse("takes too much memory to read; save it smaller, or as an ordinary JPEG")
	}
	waiting, cancel := context.WithTimeout(ctx, maxWait)
	defer cancel()
	if err := p.decoding.Acquire(waiting, need); err != nil {
		return core.Upload{}, busy().Because(err)
	}
	defer p.decoding.Release(need)
	defer debug.FreeOSMemory() // before the next one begins, which would come on top
	upright, err := decodePhoto(upload, format)
	if err != nil {
		return core.Upload{}, err
	}
	return encode(upright, format)
}

// bytesPerPixel is what the decoder allocates for each pixel at most. Beside that,
// half as wide in four channels, is one byte.
func bytesPerPixel(config image.Config, format string, upload []byte) float64 {
	if format == "jpeg" {
		return bytesOfJPEG(config, upload)
	}
	size := 4.0
	switch config.ColorModel {
	case color.RGBA64Model, color.NRGBA64Model:
		size = 8
	}
	const interlace = 28 // the byte of a PNG's header that says that it comes in passes, which are decoded apart
	if format == "png" && upload[interlace] != 0 {
		size *= 2
	}
	return size
}

// bytesOfJPEG finds the frame header (ITU-T T.81, B.2.2), which tells how the
// components are sampled, and whether it is progressive: then each sample has a coefficient
// of 4 bytes besides. Of several that look like it, the most expensive counts.
func bytesOfJPEG(config image.Config, upload []byte) (most float64) {
	const progressive = 0xc2
	size := []byte{8}                                                 // bits of a sample; then height and width
	size = binary.BigEndian.AppendUint16(size, uint16(config.Height)) //nolint:gosec // it was read from as many bytes
	size = binary.BigEndian.AppendUint16(size, uint16(config.Width))  //nolint:gosec // as before
	for rest := upload; ; {
		i := bytes.Index(rest, size)
		if i < 0 {
			return most
		}
		marker := rest[max(0, i-4):i]
		rest = rest[i+len(size):]
		if len(marker) < 4 || marker[0] != 0xff || len(rest) == 0 || len(rest) < 1+3*int(rest[0]) {
			continue
		}
		samples, densest := 0, 1
		for c := range int(rest[0]) {
			factors := rest[1+3*c+1]
			samples += int(factors>>4) * int(factors&0xf)
			densest = max(densest, int(factors>>4)*int(factors&0xf))
		}
		each := 1.0
		if marker[1] == progressive {
			each += 4
		}
		most = max(most, each*float64(samples)/float64(densest))
	}
}

// decodePhoto is the photo upright and as large as its largest copy.
func decodePhoto(upload []byte, format string) (*image.RGBA, error) {
	pixels, _, err := image.Decode(bytes.NewReader(upload))
	if err != nil {
		return nil, refuse("is damaged or animated and cannot be read to its end")
	}
	turned := orientation(upload, format)
	width, height := pixels.Bounds().Dx(), pixels.Bounds().Dy()
	if turned.swaps() {
		height, width = fit(height, width)
	} else {
		width, height = fit(width, height)
	}
	return turned.apply(shrink(pixels, width, height)), nil
}

// fit is the size of the largest copy of a photo.
func fit(width, height int) (w, h int) {
	scale := min(1, maxWidth/float64(width), maxHeight/float64(height))
	return max(1, int(float64(width)*scale+.5)), max(1, int(float64(height)*scale+.5))
}

// shrink halves the pixels until they have that size: so each of them counts, and
// no step holds more than a few.
func shrink(pixels image.Image, width, height int) *image.RGBA {
	for {
		from := pixels.Bounds()
		to := image.NewRGBA(image.Rect(0, 0, max(width, (from.Dx()+1)/2), max(height, (from.Dy()+1)/2)))
		draw.ApproxBiLinear.Scale(to, to.Rect, pixels, from, draw.Src, nil)
		if to.Rect.Dx() == width && to.Rect.Dy() == height {
			return to
		}
		pixels = to
	}
}

// encode makes the copies, each half as wide as the one before. What compresses so
// badly that the store would not take it has a smaller one for its largest.
func encode(largest *image.RGBA, format string) (core.Upload, error) {
	mediaType, body, err := smallest(largest, format)
	if err != nil {
		return core.Upload{}, err
	}
	if len(body) > maxCopy {
		return encode(half(largest), format)
	}
	size := largest.Rect.Size()
	upload := core.Upload{MediaType: mediaType, Width: size.X, Height: size.Y, Copies: [][]byte{body}}
	for pixels := largest; len(upload.Copies) < copies; {
		pixels = half(pixels)
		if body, err = encodeAs(mediaType, pixels); err != nil {
			return core.Upload{}, err
		}
		upload.Copies = append(upload.Copies, body)
	}
	return upload, nil
}

func half(pixels *image.RGBA) *image.RGBA {
	return shrink(pixels, (pixels.Rect.Dx()+1)/2, (pixels.Rect.Dy()+1)/2)
}

// smallest chooses the media type and encodes. Drawings and screenshots compress
// better as PNG, and photos never do, so that only those are tried.
func smallest(pixels *image.RGBA, format string) (mediaType string, body []byte, err error) {
	transparent := !pixels.Opaque()
	if !transparent {
		if body, err = encodeAs(JPEG, pixels); err != nil || format != "png" && format != "gif" {
			return JPEG, body, err
		}
	}
	lossless, err := encodeAs(PNG, pixels)
	if err != nil || transparent || len(lossless) <= len(body) {
		return PNG, lossless, err
	}
	return JPEG, body, nil
}

func encodeAs(mediaType string, pixels *image.RGBA) ([]byte, error) {
	var body bytes.Buffer
	var err error
	if mediaType == PNG {
		err = png.Encode(&body, pixels)
	} else {
		err = jpeg.Encode(&body, pixels, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", mediaType, err)
	}
	return body.Bytes(), nil
}

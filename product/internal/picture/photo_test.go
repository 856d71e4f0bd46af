package picture_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/product/internal/picture"
)

// quarters has a colour for each corner of an upright picture.
var quarters = map[string]color.RGBA{
	"top left": {255, 0, 0, 255}, "top right": {0, 255, 0, 255},
	"bottom left": {0, 0, 255, 255}, "bottom right": {255, 255, 255, 255},
}

// cornered is a picture whose corners are these of the upright one: in the order
// top left, top right, bottom left, bottom right of what is stored.
func cornered(width, height int, corners ...string) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for i, corner := range corners {
		x, y := i%2*width/2, i/2*height/2
		quarter := image.Rect(x, y, x+width/2, y+height/2)
		draw.Draw(m, quarter, image.NewUniform(quarters[corner]), image.Point{}, draw.Src)
	}
	return m
}

// upright is a picture that no camera turned.
func upright(width, height int) *image.RGBA {
	return cornered(width, height, "top left", "top right", "bottom left", "bottom right")
}

// wantUpright checks the size of the picture and the colour of each corner.
func wantUpright(t *testing.T, body []byte, width, height int) {
	t.Helper()
	got, _, err := image.Decode(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if size := got.Bounds().Size(); size != image.Pt(width, height) {
		t.Fatalf("got %v, want %d by %d", size, width, height)
	}
	for corner, want := range quarters {
		x, y := width/8, height/8
		if strings.HasSuffix(corner, "right") {
			x = width - 1 - x
		}
		if strings.HasPrefix(corner, "bottom") {
			y = height - 1 - y
		}
		r, g, b, _ := got.At(x, y).RGBA()
		for i, channel := range []uint32{r, g, b} {
			wanted := uint32([]uint8{want.R, want.G, want.B}[i])
			if max(channel>>8, wanted)-min(channel>>8, wanted) > 40 {
				t.Errorf("%s is %x %x %x, want %v", corner, r>>8, g>>8, b>>8, want)
				break
			}
		}
	}
}

// exif are metadata (TIFF 6.0) that say how the camera was held and where.
func exif(order binary.AppendByteOrder, mark string, orientation uint16) []byte {
	b := order.AppendUint16([]byte(mark), 42)
	b = order.AppendUint32(b, 8) // where the first directory is
	b = order.AppendUint16(b, 2)
	entry := func(b []byte, tag, kind uint16, count uint32) []byte {
		return order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count)
	}
	b = order.AppendUint16(order.AppendUint16(entry(b, 0x112, 3, 1), orientation), 0)
	b = order.AppendUint32(entry(b, 0x8825, 4, 1), 38) // where the directory of GPS is
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 1)
	b = order.AppendUint32(entry(b, 29, 2, 20), 56)
	b = order.AppendUint32(b, 0)
	return append(b, "here I live, 52.5 N\x00"...)
}

// encoded is a picture of the format with metadata, and with more after its end.
func encoded(t testing.TB, format string, m image.Image, metadata []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	var err error
	if format == "png" {
		err = png.Encode(&b, m)
	} else {
		err = jpeg.Encode(&b, m, &jpeg.Options{Quality: 95})
	}
	if err != nil {
		t.Fatal(err)
	}
	start, block := 2, binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(metadata)+8))
	block = append(append(block, "Exif\x00\x00"...), metadata...)
	if format == "png" {
		const signatureAndHeader = 8 + 25
		start, block = signatureAndHeader, slices.Concat(chunk("tEXt", "GPS\x00here I live"), chunk("eXIf", string(metadata)))
	}
	if metadata == nil {
		return b.Bytes()
	}
	return slices.Concat(b.Bytes()[:start], block, b.Bytes()[start:], []byte("<script>here I live</script>"))
}

// chunk is a chunk of a PNG.
func chunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, kind+data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(kind+data)))
}

// header is the start of a PNG that says it is so large.
func header(width, height uint32) string {
	size := binary.BigEndian.AppendUint32(nil, width)
	size = binary.BigEndian.AppendUint32(size, height)
	return "\x89PNG\r\n\x1a\n" + string(chunk("IHDR", string(size)+"\x08\x06\x00\x00\x00"))
}

// clean is an upload that is accepted.
func clean(t *testing.T, upload []byte) core.Upload {
	t.Helper()
	got, err := picture.NewPhotos(0).Clean(t.Context(), upload)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Copies) != 3 {
		t.Fatalf("%d copies", len(got.Copies))
	}
	for _, body := range got.Copies {
		for _, word := range []string{"here", "Exif", "eXIf", "GPS", "script"} {
			if bytes.Contains(body, []byte(word)) {
				t.Errorf("a copy has %q", word)
			}
		}
	}
	return got
}

// TestPhotosAreTurned: a camera stores what it sees, and how it was held. The corners are
// from the standard's words for where the first row and the first column are.
func TestPhotosAreTurned(t *testing.T) {
	t.Parallel()
	opposite := map[string]string{"top": "bottom", "bottom": "top", "left": "right", "right": "left"}
	corner := func(a, b string) string {
		if a == "left" || a == "right" {
			a, b = b, a
		}
		return a + " " + b
	}
	for i, sides := range [][2]string{
		{"top", "left"}, {"top", "right"}, {"bottom", "right"}, {"bottom", "left"},
		{"left", "top"}, {"right", "top"}, {"right", "bottom"}, {"left", "bottom"},
	} {
		row, column := sides[0], sides[1]
		width, height := 48, 32
		if i >= 4 {
			width, height = height, width
		}
		stored := cornered(width, height, corner(row, column), corner(row, opposite[column]),
			corner(opposite[row], column), corner(opposite[row], opposite[column]))
		for name, upload := range map[string][]byte{
			"JPEG":            encoded(t, "jpeg", stored, exif(binary.LittleEndian, "II", uint16(i+1))),
			"JPEG of a Nikon": encoded(t, "jpeg", stored, exif(binary.BigEndian, "MM", uint16(i+1))),
			"PNG":             encoded(t, "png", stored, exif(binary.BigEndian, "MM", uint16(i+1))),
		} {
			t.Run(fmt.Sprintf("%s, %d", name, i+1), func(t *testing.T) {
				t.Parallel()
				got := clean(t, upload)
				wantUpright(t, got.Copies[0], 48, 32)
				wantUpright(t, got.Copies[1], 24, 16)
				wantUpright(t, got.Copies[2], 12, 8)
			})
		}
	}
}

// TestMetadataThatSayNothing leave a photo as it is.
func TestMetadataThatSayNothing(t *testing.T) {
	t.Parallel()
	good := exif(binary.LittleEndian, "II", 6)
	for name, metadata := range map[string][]byte{
		"no such side": exif(binary.LittleEndian, "II", 9), "cut": good[:12], "no order": append([]byte("XX"), good[2:]...),
		"nothing": {}, "far away": append([]byte("II*\x00\xff\xff\xff\x7f"), good[8:]...),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantUpright(t, clean(t, encoded(t, "jpeg", upright(48, 32), metadata)).Copies[0], 48, 32)
		})
	}
}

// TestKindsOfPhotos: what comes out of the forms that Go does not write.
func TestKindsOfPhotos(t *testing.T) {
	t.Parallel()
	for name, mediaType := range map[string]string{
		"progressive.jpg": picture.JPEG, "cmyk.jpg": picture.JPEG, "turned-lossy.webp": picture.JPEG,
		"turned-lossless.webp": picture.JPEG, "interlaced.png": picture.PNG,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			upload, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			got := clean(t, upload)
			wantUpright(t, got.Copies[0], 48, 32)
			if got.MediaType != mediaType {
				t.Errorf("is kept as %s, want %s", got.MediaType, mediaType)
			}
		})
	}
}

// TestTransparencyIsKept: such photos are PNG, whatever they were.
func TestTransparencyIsKept(t *testing.T) {
	t.Parallel()
	webp, err := os.ReadFile(filepath.Join("testdata", "transparent.webp"))
	if err != nil {
		t.Fatal(err)
	}
	hole := upright(2600, 20)
	draw.Draw(hole, image.Rect(0, 0, 1300, 20), image.Transparent, image.Point{}, draw.Src)
	for name, upload := range map[string][]byte{"PNG": encoded(t, "png", hole, nil), "WebP": webp} {
		got := clean(t, upload)
		m, err := png.Decode(bytes.NewReader(got.Copies[0]))
		if err != nil {
			t.Fatalf("%s: %s, %v", name, got.MediaType, err)
		}
		width, height := m.Bounds().Dx(), m.Bounds().Dy()
		_, _, _, clear := m.At(width/4, 0).RGBA()
		_, _, _, opaque := m.At(width*3/4, height-1).RGBA()
		if clear > 0x1000 || opaque < 0xf000 {
			t.Errorf("%s has opacities %x and %x", name, clear, opaque)
		}
	}
}

// TestSmallPNGsKeepTheirPixels: drawings are not blurred.
func TestSmallPNGsKeepTheirPixels(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	frame := image.Rect(0, 0, 20, 10)
	fill := func(m draw.Image) image.Image {
		for i := range 200 {
			m.Set(i%20, i/20, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(i), 255})
		}
		return m
	}
	for name, pixels := range map[string]image.Image{
		"gray": fill(image.NewGray(frame)), "deep gray": fill(image.NewGray16(frame)),
		"invisible": image.NewNRGBA(frame), "colours": fill(image.NewNRGBA(frame)),
		"deep": fill(image.NewNRGBA64(frame)), "palette": fill(image.NewPaletted(frame, palette.WebSafe)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kept := clean(t, encoded(t, "png", pixels, []byte("MM"))).Copies[0]
			got, err := png.Decode(bytes.NewReader(kept))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 200 {
				g := color.RGBAModel.Convert(got.At(i%20, i/20))
				if w := color.RGBAModel.Convert(pixels.At(i%20, i/20)); g != w {
					t.Fatalf("pixel %d is %v, want %v", i, g, w)
				}
			}
		})
	}
}

// TestAnAnimationsFirstFrame is what is kept of it.
func TestAnAnimationsFirstFrame(t *testing.T) {
	t.Parallel()
	frames := &gif.GIF{Delay: []int{1, 1}}
	for _, m := range []image.Image{upright(48, 32), cornered(48, 32, "top right")} {
		frame := image.NewPaletted(m.Bounds(), palette.WebSafe)
		draw.Draw(frame, frame.Rect, m, image.Point{}, draw.Src)
		frames.Image = append(frames.Image, frame)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, frames); err != nil {
		t.Fatal(err)
	}
	wantUpright(t, clean(t, b.Bytes()).Copies[0], 48, 32)
}

// TestSizes: no copy is larger than pages show it, none is enlarged, and what is
// hard to compress begins with a smaller one.
func TestSizes(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		upload image.Image
		want   [3]image.Point
	}{
		"a dot":       {image.NewGray(image.Rect(0, 0, 1, 1)), [3]image.Point{{1, 1}, {1, 1}, {1, 1}}},
		"as it is":    {image.NewGray(image.Rect(0, 0, 1280, 961)), [3]image.Point{{1280, 961}, {640, 481}, {320, 241}}},
		"a photo":     {image.NewGray(image.Rect(0, 0, 4080, 3060)), [3]image.Point{{1280, 960}, {640, 480}, {320, 240}}},
		"upright":     {image.NewGray(image.Rect(0, 0, 3060, 4080)), [3]image.Point{{1280, 1707}, {640, 854}, {320, 427}}},
		"a column":    {image.NewGray(image.Rect(0, 0, 100, 20_000)), [3]image.Point{{13, 2560}, {7, 1280}, {4, 640}}},
		"a line":      {image.NewGray(image.Rect(0, 0, 20_000, 1)), [3]image.Point{{1280, 1}, {640, 1}, {320, 1}}},
		"white noise": {noise(1100, 1100), [3]image.Point{{550, 550}, {275, 275}, {138, 138}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := clean(t, encoded(t, "png", row.upload, nil))
			for i, body := range got.Copies {
				config, _, err := image.DecodeConfig(bytes.NewReader(body))
				if err != nil || image.Pt(config.Width, config.Height) != row.want[i] || len(body) > 2<<20 {
					t.Errorf("copy %d is %d by %d in %d bytes, %v; want %v",
						i, config.Width, config.Height, len(body), err, row.want[i])
				}
			}
			if got.Width != row.want[0].X || got.Height != row.want[0].Y {
				t.Errorf("says %d by %d", got.Width, got.Height)
			}
		})
	}
}

// noise does not get smaller, and is transparent.
func noise(width, height int) image.Image {
	r := rand.NewChaCha8([32]byte{})
	pixels := image.NewNRGBA(image.Rect(0, 0, width, height))
	_, _ = r.Read(pixels.Pix)
	return pixels
}

// TestHostilePhotos: each is refused with a reason, before memory is taken for what it claims.
func TestHostilePhotos(t *testing.T) {
	t.Parallel()
	const unread = "is not a JPEG, PNG, WebP or GIF that can be read"
	const over = " pixels, more than 50 million in all"
	const cut = "is damaged or animated and cannot be read to its end"
	good := encoded(t, "png", image.NewGray(image.Rect(0, 0, 9, 9)), nil)
	photo := encoded(t, "jpeg", upright(48, 32), nil)
	wrong := bytes.Clone(good)
	wrong[len(wrong)-14]++ // a byte of the last checksum before the end
	animated, err := os.ReadFile(filepath.Join("testdata", "animated.webp"))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct{ upload, want string }{
		"nothing":               {"", unread},
		"a page":                {"<html><script>alert(1)</script>", unread},
		"an iPhone's own form":  {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", unread},
		"a signature":           {string(good[:8]), unread},
		"a cut PNG":             {string(good[:len(good)-20]), cut},
		"a cut JPEG":            {string(photo[:len(photo)-20]), cut},
		"an animated WebP":      {string(animated), cut},
		"a PNG without its end": {string(good[:len(good)-12]), cut},
		"a wrong checksum":      {string(wrong), cut},
		"no pixels":             {header(100, 100) + string(chunk("IEND", "")), cut},
		"no width":              {header(0, 9), unread},
		"negative width":        {header(1<<31, 9), unread},
		"a bomb":                {header(1<<31-1, 1<<31-1), unread},
		"a bomb that counts":    {header(60_000, 60_000), "is 60000 by 60000" + over},
		"one pixel too many":    {header(50_000_001, 1), "is 50000001 by 1" + over},
		"a JPEG that claims":    {claiming(photo, 0xc0, 60_000, 60_000), "is 60000 by 60000" + over},
		"a GIF that claims":     {"GIF89a\xff\xff\xff\xff\x00\x00\x00", "is 65535 by 65535" + over},
		"a WebP that claims":    {vp8x(1<<14, 1<<14), "is 16384 by 16384" + over},
		"a WebP of two sizes":   {vp8x(9, 9) + string(webpFrame(16_000, 16_000)), cut},
		"a large progressive one": {claiming(photo, 0xc2, 8000, 6000),
			"takes too much memory to read; save it smaller, or as an ordinary JPEG"},
		"a JPEG of many scans": {string(photo) + strings.Repeat("\xff\xda", 100),
			"takes too much time to read; save it as an ordinary JPEG"},
		"a large one with nothing in it": {claiming(photo, 0xc0, 800, 600), cut},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reason(t, picture.PNG, row.upload); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// claiming is the JPEG with another frame header.
func claiming(photo []byte, marker byte, width, height uint16) string {
	at := bytes.Index(photo, []byte{0xff, 0xc0})
	b := append(bytes.Clone(photo[:at]), 0xff, marker, 0, 17, 8)
	b = binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, height), width)
	b = append(b, 3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0) // three components, none of which is sampled less
	return string(append(b, photo[at+19:]...))
}

// vp8x is the start of a WebP whose canvas is so large.
func vp8x(width, height uint32) string {
	size := binary.LittleEndian.AppendUint32(nil, width-1)[:3]
	size = append(size, binary.LittleEndian.AppendUint32(nil, height-1)[:3]...)
	return "RIFF\x00\x10\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00" + string(size)
}

// webpFrame is a frame header of VP8 (RFC 6386, 9.1) in its chunk.
func webpFrame(width, height uint16) []byte {
	b := []byte("VP8 \x00\x08\x00\x00\x10\x00\x00\x9d\x01\x2a")
	return binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(b, width), height)
}

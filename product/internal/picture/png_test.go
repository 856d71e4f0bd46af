package picture_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/png"
	"math/rand/v2"
	"strings"
	"testing"

	"craftista/product/internal/picture"
)

// drawn is a PNG of those pixels.
func drawn(t testing.TB, pixels image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, pixels); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// chunk is a chunk of a PNG.
func chunk(kind, data string) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(b, kind+data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE([]byte(kind+data)))
}

// header is the start of a PNG that says it is so large.
func header(width, height uint32) []byte {
	size := binary.BigEndian.AppendUint32(nil, width)
	size = binary.BigEndian.AppendUint32(size, height)
	return append([]byte("\x89PNG\r\n\x1a\n"), chunk("IHDR", string(size)+"\x08\x06\x00\x00\x00")...)
}

// TestOnlyPixelsAreKept: they are the same, and what was around them is gone.
func TestOnlyPixelsAreKept(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	frame := image.Rect(0, 0, 20, 10)
	fill := func(m draw.Image) image.Image {
		for i := range 200 {
			m.Set(i%20, i/20, color.NRGBA{uint8(r.Uint32()), uint8(r.Uint32()), uint8(i), uint8(r.Uint32())})
		}
		return m
	}
	for name, pixels := range map[string]image.Image{
		"gray": fill(image.NewGray(frame)), "deep gray": fill(image.NewGray16(frame)),
		"see-through": fill(image.NewNRGBA(frame)), "invisible": image.NewNRGBA(frame),
		"deep": fill(image.NewNRGBA64(frame)), "palette": fill(image.NewPaletted(frame, palette.WebSafe)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := drawn(t, pixels)
			const start = 8 + 25 // signature and header
			upload := append(bytes.Clone(plain[:start]), chunk("tEXt", "GPS\x00here I live")...)
			upload = append(upload, chunk("eXIf", "here too")...)
			upload = append(append(upload, plain[start:]...), "<script>alert(1)</script>"...)
			kept, err := picture.Clean(picture.PNG, upload)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(kept, []byte("here")) || bytes.Contains(kept, []byte("script")) ||
				!bytes.HasSuffix(kept, chunk("IEND", "")) {
				t.Errorf("kept %q", kept)
			}
			got, err := png.Decode(bytes.NewReader(kept))
			if err != nil {
				t.Fatal(err)
			}
			for i := range 200 {
				g := color.NRGBA64Model.Convert(got.At(i%20, i/20))
				if w := color.NRGBA64Model.Convert(pixels.At(i%20, i/20)); g != w {
					t.Fatalf("pixel %d is %v, want %v", i, g, w)
				}
			}
			again, err := picture.Clean(picture.PNG, kept)
			if err != nil || !bytes.Equal(again, kept) {
				t.Errorf("cleaned again: %d bytes of %d, %v", len(again), len(kept), err)
			}
		})
	}
}

func TestHostilePNGs(t *testing.T) {
	t.Parallel()
	const unread, cut = "is not a PNG that can be read", "is not a PNG that can be read to its end"
	good := drawn(t, image.NewGray(image.Rect(0, 0, 9, 9)))
	wrong := bytes.Clone(good)
	wrong[len(wrong)-14]++ // a byte of the last checksum before the end
	for name, row := range map[string]struct{ upload, want string }{
		"nothing":          {"", unread},
		"a page":           {"<html><script>alert(1)</script>", unread},
		"a JPEG":           {"\xff\xd8\xff\xe0\x00\x10JFIF", unread},
		"a signature":      {string(good[:8]), unread},
		"cut":              {string(good[:len(good)-20]), cut},
		"without its end":  {string(good[:len(good)-12]), cut},
		"a wrong checksum": {string(wrong), cut},
		"no pixels":        {string(header(100, 100)) + string(chunk("IEND", "")), cut},
		"no width":         {string(header(0, 9)), unread},
		"negative width":   {string(header(1<<31, 9)), unread},
		"too wide":         {string(header(4097, 1)), "is 4097 by 1 pixels, more than 4096 a side or 4194304 in all"},
		"too high":         {string(header(1, 4097)), "is 1 by 4097 pixels, more than 4096 a side or 4194304 in all"},
		"too many pixels":  {string(header(4096, 1025)), "is 4096 by 1025 pixels, more than 4096 a side or 4194304 in all"},
		"a bomb":           {string(header(1<<31-1, 1<<31-1)), unread},
		"a bomb that counts": {
			string(header(50_000, 50_000)), "is 50000 by 50000 pixels, more than 4096 a side or 4194304 in all",
		},
		"large rewritten": {string(noise(t)), "is over 1048576 bytes once it is rewritten"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := reason(t, picture.PNG, row.upload); got != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
	if got := reason(t, picture.PNG, string(drawn(t, image.NewGray(image.Rect(0, 0, 4096, 1024))))); got != "" {
		t.Errorf("the largest is refused: %s", got)
	}
	if got := reason(t, picture.SVG, string(good)); !strings.HasPrefix(got, "is in an encoding") {
		t.Errorf("a PNG as SVG: %s", got)
	}
}

// noise does not get smaller: its reason is for what is rewritten, whatever it
// was as an upload.
func noise(t testing.TB) []byte {
	r := rand.NewChaCha8([32]byte{})
	pixels := image.NewNRGBA(image.Rect(0, 0, 520, 520))
	_, _ = r.Read(pixels.Pix)
	return drawn(t, pixels)
}

package picture

import (
	"bytes"
	"image/png"
)

// The limits of a PNG, in pixels. The header tells them before anything is
// inflated, and they bound what a small file can inflate to: 32 MiB.
const (
	maxSide   = 4096
	maxPixels = 4 << 20
)

// cleanPNG keeps the pixels. Metadata, which can tell where somebody lives, colour
// profiles, all frames but the first and whatever follows the end are left out.
func cleanPNG(upload []byte) ([]byte, error) {
	config, err := png.DecodeConfig(bytes.NewReader(upload))
	if err != nil {
		return nil, refuse("is not a PNG that can be read")
	}
	if config.Width > maxSide || config.Height > maxSide || config.Width*config.Height > maxPixels {
		return nil, refuse("is %d by %d pixels, more than %d a side or %d in all",
			config.Width, config.Height, maxSide, maxPixels)
	}
	pixels, err := png.Decode(bytes.NewReader(upload))
	if err != nil {
		return nil, refuse("is not a PNG that can be read to its end")
	}
	var kept bytes.Buffer
	if err := png.Encode(&kept, pixels); err != nil {
		return nil, refuse("cannot be rewritten")
	}
	return kept.Bytes(), nil
}

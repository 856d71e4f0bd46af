// Package picture makes uploaded pictures safe to show to anybody: it decodes a
// picture and encodes only what it decoded, so that the result holds nothing that
// another decoder could interpret differently.
package picture

import "craftista/shared/fault"

// The media types that Clean takes.
const (
	SVG = "image/svg+xml"
	PNG = "image/png"
)

// The limits of a picture, in bytes. A good one may grow as it is rewritten.
const (
	MaxUpload = 1 << 20
	maxKept   = 1 << 20 // in step with the schema, and with what the site hands on
)

// Clean returns the picture as it is safe to keep and to send. A picture that
// cannot be made so is Invalid, with the reason. It does not matter what follows
// a PNG's end or what comments an SVG has: neither is kept. Cleaning again gives
// the same bytes.
func Clean(mediaType string, upload []byte) ([]byte, error) {
	clean := cleanSVG
	if mediaType == PNG {
		clean = cleanPNG
	}
	kept, err := clean(upload)
	if err == nil && len(kept) > maxKept {
		err = refuse("is over %d bytes once it is rewritten", maxKept)
	}
	if err != nil {
		return nil, err
	}
	return kept, nil
}

// refuse is the fault of a picture that breaks a rule.
func refuse(format string, args ...any) error { return fault.Broken("image", format, args...) }

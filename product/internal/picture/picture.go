// Package picture makes uploaded pictures safe to show to anybody: it decodes a
// picture and encodes only what it decoded, so that the result holds nothing that
// another decoder could interpret differently.
package picture

import "craftista/shared/fault"

// SVG is the media type of drawings.
const SVG = "image/svg+xml"

// The limits of a drawing, in bytes. A good one may grow as it is rewritten.
const (
	MaxUpload = 1 << 20
	maxKept   = 1 << 20 // in step with the schema, and with what the site hands on
)

// Clean returns the SVG as it is safe to keep and to send. One that cannot be made
// so is Invalid, with the reason. Cleaning again gives the same bytes. Photos are
// cleaned by Photos.
func Clean(upload []byte) ([]byte, error) {
	kept, err := cleanSVG(upload)
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

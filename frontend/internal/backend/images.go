package backend

import (
	"context"
	"mime"
	"net/url"
	"slices"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// maxImage is the largest picture that is passed on, in bytes, and the largest that
// the catalogue stores.
const maxImage = 2 << 20

// Image is the picture with the name that a curator gave to the catalogue. Its
// MediaType is SVG, JPEG or PNG: one of another type, or over 2 MiB, is NotFound. It is
// read to its end before anybody sees a byte, so that a cache never keeps half of one.
func (c Catalogue) Image(ctx context.Context, name string) (web.RawBody, error) {
	image, err := get[web.RawBody](ctx, c.client, "/api/images/"+url.PathEscape(name), "")
	if err != nil {
		return web.RawBody{}, err
	}
	image.MediaType, _, err = mime.ParseMediaType(image.MediaType)
	if err != nil || !slices.Contains([]string{SVG, JPEG, PNG}, image.MediaType) || len(image.Bytes) > maxImage {
		return web.RawBody{}, fault.New(fault.NotFound, "no picture %q", name)
	}
	return image, nil
}

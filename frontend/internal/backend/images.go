package backend

import (
	"context"
	"io"
	"mime"
	"net/http"
	"net/url"

	"craftista/shared/fault"
)

// maxImage is the largest picture that is passed on, in bytes, and the largest that
// the catalogue stores: more than it takes from a curator, for it rewrites each.
const maxImage = 1 << 20

// Images are the pictures that curators gave to the catalogue.
type Images struct {
	base string
	http *http.Client
}

// Image is a picture. MediaType is image/svg+xml or image/png, nothing else.
type Image struct {
	Body      []byte
	MediaType string
}

// Image is the picture with the name. It is NotFound if there is none, if its
// media type is another one and if it is over 1 MiB; Unavailable if the
// catalogue does not answer whole within ReadTimeout. It is read to its end
// before anybody sees a byte, so that a cache never keeps half of one.
func (i Images) Image(ctx context.Context, name string) (Image, error) {
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	unavailable := fault.New(fault.Unavailable, "the catalogue's pictures are away just now")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, i.base+"/api/images/"+url.PathEscape(name), nil)
	if err != nil {
		return Image{}, err
	}
	res, err := i.http.Do(req)
	if err != nil {
		return Image{}, unavailable.Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	media, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	switch {
	case res.StatusCode >= http.StatusInternalServerError || res.StatusCode == http.StatusTooManyRequests:
		return Image{}, unavailable
	case res.StatusCode != http.StatusOK || err != nil || media != "image/svg+xml" && media != "image/png":
		return Image{}, noPicture(name)
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxImage+1))
	switch {
	case err != nil:
		return Image{}, unavailable.Because(err)
	case len(body) > maxImage:
		return Image{}, noPicture(name)
	}
	return Image{body, media}, nil
}

func noPicture(name string) error { return fault.New(fault.NotFound, "no picture %q", name) }

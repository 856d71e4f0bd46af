package backend

import (
	"context"
	"net/http"
	"strconv"

	"craftista/shared/web"
)

// The largest pictures that the catalogue takes, in bytes.
const (
	MaxPicture = 1 << 20 // of an SVG
	MaxPhoto   = 12 << 20
)

// The media types of pictures that the catalogue takes. It stores no WebP and no GIF.
const (
	SVG  = "image/svg+xml"
	JPEG = "image/jpeg"
	PNG  = "image/png"
	WebP = "image/webp"
	GIF  = "image/gif"
)

// Draft is what a curator says about a product.
type Draft struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"` // a drawing of the site by its plain path, or what AddPicture gave
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`

	Maker           string `json:"maker"`
	InstructionsURL string `json:"instructions_url"` // begins with https://, or is ""
}

// Draft is the product as a curator would have to write it.
func (p Product) Draft() Draft {
	return Draft{p.Name, p.Description, p.ImageURL, p.Difficulty, p.Folds, p.Paper, p.Maker, p.InstructionsURL}
}

// Edition is a product and the ETag of what it is now, which guards an edit of it.
func (c Catalogue) Edition(ctx context.Context, id int64) (Product, string, error) {
	var p Product
	header, err := c.read(ctx, productPath(id), "", &p)
	if err != nil {
		return Product{}, "", err
	}
	return p, header.Get("Etag"), nil
}

// KeyField names the key of Add among the rules that it may break.
const KeyField = "Idempotency-Key"

// Add adds a product to the catalogue, or finds the one that the person added with
// the key, of 1 to 100 letters, digits, dots, dashes and underscores: asking again
// is safe. Invalid lists the rules that the draft breaks, by the JSON names of its
// fields, or has KeyField if another draft was added with the key.
func (c Catalogue) Add(ctx context.Context, bearer, key string, d Draft) (Product, error) {
	return fetch[Product](ctx, c.client, web.Request{
		Method: http.MethodPost, Path: "/api/products", Bearer: bearer,
		Header: http.Header{KeyField: {`"` + key + `"`}}, Body: d,
	})
}

// Edit makes the product what the draft says. PreconditionFailed means that
// somebody edited it after the reader of tag saw it, NotFound that it was deleted,
// Invalid is as for Add.
func (c Catalogue) Edit(ctx context.Context, bearer string, id int64, tag string, d Draft) error {
	return c.do(ctx, web.Request{
		Method: http.MethodPut, Path: productPath(id), Bearer: bearer, Header: ifMatch(tag), Body: d,
	})
}

// Remove takes the product out of the catalogue. PreconditionFailed and NotFound are
// as for Edit.
func (c Catalogue) Remove(ctx context.Context, bearer string, id int64, tag string) error {
	return c.do(ctx, web.Request{
		Method: http.MethodDelete, Path: productPath(id), Bearer: bearer, Header: ifMatch(tag),
	})
}

// AddPicture gives the catalogue a picture and tells the image_url to show it by.
// Invalid has the reason why it cannot be shown; it is Unavailable while too many others
// are under way. Giving one twice keeps one.
func (c Catalogue) AddPicture(ctx context.Context, bearer, mediaType string, picture []byte) (string, error) {
	var reply struct {
		ImageURL string `json:"image_url"`
	}
	patient := c.client
	patient.web = c.uploads
	_, err := patient.call(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/images", Bearer: bearer,
		Body: web.RawBody{MediaType: mediaType, Bytes: picture},
	}, &reply)
	return reply.ImageURL, err
}

func productPath(id int64) string { return "/api/products/" + strconv.FormatInt(id, 10) }

func ifMatch(tag string) http.Header { return http.Header{"If-Match": {tag}} }

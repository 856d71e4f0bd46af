package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"regexp"

	"craftista/shared/fault"
)

// ImagePath is what the image_url of a product starts with if it shows an uploaded
// image; the image's name follows.
const ImagePath = "/api/images/"

// imageName is the form of an uploaded image's name.
var imageName = regexp.MustCompile(`^[0-9a-f]{64}\.(png|svg)$`)

// Image is an uploaded picture, safe to show to anybody. Nobody may change the
// body.
type Image struct {
	Name      string // the SHA-256 of Body in hexadecimal, and .png or .svg
	MediaType string // image/png or image/svg+xml
	Body      []byte
}

// AddImage stores a picture of that media type, which the caller made safe, and
// returns it. Adding it again changes nothing. It is stored for good: caches
// out of reach and products as they were may still show it.
func (c *Catalogue) AddImage(ctx context.Context, mediaType string, body []byte) (Image, error) {
	sum := sha256.Sum256(body)
	extension := map[string]string{"image/png": ".png", "image/svg+xml": ".svg"}[mediaType]
	image := Image{Name: hex.EncodeToString(sum[:]) + extension, MediaType: mediaType, Body: body}
	return image, c.store.AddImage(ctx, image)
}

// Image returns an uploaded picture; NotFound if there is none of that name.
func (c *Catalogue) Image(ctx context.Context, name string) (Image, error) {
	if !imageName.MatchString(name) {
		return Image{}, fault.New(fault.NotFound, "no image has that name")
	}
	return c.store.Image(ctx, name)
}

package core

import (
	"context"
	"crypto/sha256"
	"fmt"
	"regexp"

	"craftista/shared/fault"
)

// ImagePath is what the image_url of a product starts with if it shows an uploaded
// image; the image's name follows.
const ImagePath = "/api/images/"

// imageName is the form of an uploaded image's name. The last group is there for a smaller
// copy only.
var imageName = regexp.MustCompile(`^[0-9a-f]{64}(?:-[0-9]{1,4}x[0-9]{1,4}(-[24])?)?\.(?:jpg|png|svg)$`)

// Upload is a picture that the caller made safe to show to anybody.
type Upload struct {
	MediaType     string   // image/jpeg, image/png or image/svg+xml
	Width, Height int      // of a photo, in pixels
	Copies        [][]byte // the picture; of a photo also others, each half as wide as the one before, rounded up
}

// Image is a stored picture. Nobody may change the body.
type Image struct {
	// Name is the SHA-256 of the picture in hexadecimal and, of a photo, its size, as in
	// -1280x960. Its copies have the same, and how many times smaller they are, as in -1280x960-2.
	// Then comes .jpg, .png or .svg.
	Name      string
	MediaType string
	Body      []byte
}

// images are the upload as it is stored, the picture itself first.
func (u Upload) images() []Image {
	name := fmt.Sprintf("%x", sha256.Sum256(u.Copies[0]))
	if u.Width > 0 {
		name += fmt.Sprintf("-%dx%d", u.Width, u.Height)
	}
	extension := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/svg+xml": ".svg"}[u.MediaType]
	all := []Image{{Name: name + extension, MediaType: u.MediaType, Body: u.Copies[0]}}
	for i, body := range u.Copies[1:] {
		smaller := fmt.Sprintf("-%d", 2<<i)
		all = append(all, Image{Name: name + smaller + extension, MediaType: u.MediaType, Body: body})
	}
	return all
}

// AddImage stores an upload, and returns the picture itself. Adding it again changes
// nothing. It is stored for good: caches out of reach and products as they were may
// still show it.
func (c *Catalogue) AddImage(ctx context.Context, upload Upload) (Image, error) {
	images := upload.images()
	return images[0], c.store.AddImages(ctx, images)
}

// Image returns a stored picture or a smaller copy; NotFound if there is none of that name.
func (c *Catalogue) Image(ctx context.Context, name string) (Image, error) {
	if !imageName.MatchString(name) {
		return Image{}, fault.New(fault.NotFound, "no image has that name")
	}
	return c.store.Image(ctx, name)
}

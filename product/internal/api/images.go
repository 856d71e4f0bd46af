package api

import (
	"context"
	"net/http"
	"strings"

	"craftista/product/internal/core"
	"craftista/product/internal/picture"
	"craftista/shared/web"
)

const (
	// forGood: the name is the content.
	forGood = "public, max-age=31536000, immutable"

	// contentSecurityPolicy lets an image that is opened by itself only be drawn.
	contentSecurityPolicy = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
)

type images struct {
	catalogue *core.Catalogue
	photos    *picture.Photos
}

type imageReply struct {
	ImageURL string `json:"image_url"`
}

// add answers POST /api/images.
func (h images) add(w http.ResponseWriter, r *http.Request) error {
	leave, err := h.photos.Enter()
	if err != nil {
		return err
	}
	defer leave()
	most := int64(picture.MaxPhoto)
	if strings.HasPrefix(r.Header.Get("Content-Type"), picture.SVG) {
		most = picture.MaxUpload
	}
	mediaType, body, err := web.ReadBody(r, most,
		picture.SVG, picture.JPEG, picture.PNG, picture.WebP, picture.GIF)
	if err != nil {
		return err
	}
	upload, err := h.clean(r.Context(), mediaType, body)
	if err != nil {
		return err
	}
	image, err := h.catalogue.AddImage(r.Context(), upload)
	if err != nil {
		return err
	}
	w.Header().Set("Location", core.ImagePath+image.Name)
	return web.Reply(w, http.StatusCreated, imageReply{ImageURL: core.ImagePath + image.Name})
}

// clean makes the body safe to show. Which kind of photo it is its bytes tell.
func (h images) clean(ctx context.Context, mediaType string, body []byte) (core.Upload, error) {
	if mediaType != picture.SVG {
		return h.photos.Clean(ctx, body)
	}
	drawing, err := picture.Clean(body)
	return core.Upload{MediaType: mediaType, Copies: [][]byte{drawing}}, err
}

// show answers GET /api/images/{name}.
func (h images) show(w http.ResponseWriter, r *http.Request) error {
	image, err := h.catalogue.Image(r.Context(), web.Param(r, "name"))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Security-Policy", contentSecurityPolicy)
	web.ReplyWithETag(w, r, forGood, `"`+image.Name+`"`, web.RawBody{MediaType: image.MediaType, Bytes: image.Body})
	return nil
}

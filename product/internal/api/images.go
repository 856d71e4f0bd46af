package api

import (
	"net/http"

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

type images struct{ catalogue *core.Catalogue }

type imageReply struct {
	ImageURL string `json:"image_url"`
}

// add answers POST /api/images.
func (h images) add(w http.ResponseWriter, r *http.Request) error {
	mediaType, body, err := web.ReadBody(r, picture.MaxUpload, picture.SVG, picture.PNG)
	if err != nil {
		return err
	}
	clean, err := picture.Clean(mediaType, body)
	if err != nil {
		return err
	}
	image, err := h.catalogue.AddImage(r.Context(), mediaType, clean)
	if err != nil {
		return err
	}
	w.Header().Set("Location", core.ImagePath+image.Name)
	return web.Reply(w, http.StatusCreated, imageReply{ImageURL: core.ImagePath + image.Name})
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

package api

import (
	"errors"
	"net/http"
	"strconv"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

type draft struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`

	Maker           string `json:"maker"`
	InstructionsURL string `json:"instructions_url"`
}

// add answers POST /api/products.
func (h products) add(w http.ResponseWriter, r *http.Request) error {
	k, err := key(r)
	if err != nil {
		return err
	}
	d, err := web.Decode[draft](r)
	if err != nil {
		return err
	}
	p, err := h.catalogue.Add(r.Context(), token.UserFrom(r.Context()).ID, k, core.Draft(d))
	switch {
	case errors.Is(err, core.ErrIdempotencyKeyReused):
		return fault.Broken(keyHeader, "was used for another piece")
	case err != nil:
		return err
	}
	w.Header().Set("Location", "/api/products/"+strconv.FormatInt(p.ID, 10))
	w.Header().Set("Etag", tag(p))
	return web.Reply(w, http.StatusCreated, product(p))
}

// edit answers PUT /api/products/{id}.
func (h products) edit(w http.ResponseWriter, r *http.Request, id int64) error {
	versions, err := ifMatch(r)
	if err != nil {
		return err
	}
	d, err := web.Decode[draft](r)
	if err != nil {
		return err
	}
	p, err := h.catalogue.Edit(r.Context(), id, versions, core.Draft(d))
	if err != nil {
		return err
	}
	w.Header().Set("Etag", tag(p))
	return web.Reply(w, http.StatusOK, product(p))
}

// remove answers DELETE /api/products/{id}. It reads no body.
func (h products) remove(w http.ResponseWriter, r *http.Request, id int64) error {
	versions, err := ifMatch(r)
	if err != nil {
		return err
	}
	if err := h.catalogue.Remove(r.Context(), id, versions); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

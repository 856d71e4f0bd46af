package api

import (
	"encoding/json"
	"net/http"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/web"
)

// revalidate lets callers keep a reply and ask, each time, whether it still
// holds: counts move at any moment, and the ETag makes asking cheap.
const revalidate = "no-cache"

type products struct{ catalogue *core.Catalogue }

type product struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`
	Maker       string `json:"maker"`

	InstructionsURL string `json:"instructions_url"`

	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	Version   int64     `json:"-"` // the ETag has it
}

// Encode is the core.Encode of this API: the JSON that a reader of one product
// gets, so that a cached one is sent as it is stored.
func Encode(p core.Product) (core.Encoded, error) {
	body, err := json.Marshal(product(p))
	return core.Encoded{ETag: tag(p), Body: body}, err
}

// list answers GET /api/products and GET /api/origamis.
func (h products) list(w http.ResponseWriter, r *http.Request) error {
	query, err := web.Query(r)
	if err != nil {
		return err
	}
	page, err := readPage(query)
	if err != nil {
		return err
	}
	found, more, err := h.catalogue.List(r.Context(), page)
	if err != nil {
		return err
	}
	reply := make([]product, len(found)) // an empty page is [], not null
	for i, p := range found {
		reply[i] = product(p)
	}
	if more {
		w.Header().Set("Link", web.NextLink(r.URL, cursorAt(page.Sort, page.Sort.At(found[len(found)-1]))))
	}
	return web.ReplyJSONWithETag(w, r, revalidate, reply)
}

// show answers GET /api/products/{id} and GET /api/origamis/{id}.
func (h products) show(w http.ResponseWriter, r *http.Request, id int64) error {
	p, source, err := h.catalogue.Encoded(r.Context(), id)
	if err != nil {
		return err
	}
	w.Header().Set("X-Cache", string(source))
	web.ReplyWithETag(w, r, revalidate, p.ETag, web.RawBody{MediaType: "application/json", Bytes: p.Body})
	return nil
}

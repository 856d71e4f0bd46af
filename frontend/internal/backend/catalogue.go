package backend

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"craftista/shared/web"
)

// Catalogue is the client of product.
type Catalogue struct{ client }

// Product is one product.
type Product struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url"`
	Votes       int64  `json:"votes"`
	Difficulty  string `json:"difficulty"`
	Folds       int    `json:"folds"`
	Paper       string `json:"paper"`
	Maker       string `json:"maker"` // "" is not known, as below

	InstructionsURL string    `json:"instructions_url"`
	UpdatedAt       time.Time `json:"updated_at"`
}

// Listing asks for a page of at most Limit products that fit Query and Difficulty, each any if it is "".
type Listing struct {
	Query, Difficulty, Sort, Cursor string
	Limit                           int
}

// Find is such a page and the cursor of the page after it, "" after the last. A cursor
// that is none is BadRequest.
func (c Catalogue) Find(ctx context.Context, l Listing) ([]Product, string, error) {
	query := url.Values{
		"q": {l.Query}, "difficulty": {l.Difficulty}, "sort": {l.Sort}, "cursor": {l.Cursor},
		"limit": {strconv.Itoa(l.Limit)},
	}
	return getPage[[]Product](ctx, c.client, "/api/products", query, "")
}

// Product is the product with the id, NotFound if there is none.
func (c Catalogue) Product(ctx context.Context, id int64) (Product, error) {
	return get[Product](ctx, c.client, productPath(id), "")
}

// Mine is which of the ids, at most 100, the bearer's person voted for, and their counts now.
func (c Catalogue) Mine(ctx context.Context, bearer string, ids []int64) (Mine, error) {
	if len(ids) == 0 {
		return Mine{}, nil
	}
	return get[Mine](ctx, c.client, "/api/votes/mine?ids="+list(ids), bearer)
}

// Vote records the person's vote (or, if not voted, takes it back) and gives the
// new count. Repeating it changes nothing. Unauthenticated means that the token
// is no longer good.
func (c Catalogue) Vote(ctx context.Context, bearer string, id int64, voted bool) (int64, error) {
	raw, err := c.RawVote(ctx, bearer, id, voted)
	if err != nil {
		return 0, err
	}
	var reply struct {
		NewVoteCount int64 `json:"new_vote_count"`
	}
	err = json.Unmarshal(raw, &reply)
	return reply.NewVoteCount, err
}

// RawVote is Vote with the service's own reply, for scripts.
func (c Catalogue) RawVote(ctx context.Context, bearer string, id int64, voted bool) (json.RawMessage, error) {
	method := http.MethodPost
	if !voted {
		method = http.MethodDelete
	}
	path := "/api/origamis/" + strconv.FormatInt(id, 10) + "/vote"
	return fetch[json.RawMessage](ctx, c.client, web.Request{Method: method, Path: path, Bearer: bearer})
}

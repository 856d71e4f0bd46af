package page

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/moment"
	"craftista/frontend/internal/session"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// shelf is what all visitors share for a moment, so that a busy gallery costs
// its services one visitor a moment. Who has just voted gets nothing from it: a
// person sees their own vote at once, also without scripts.
type shelf struct {
	pages    *moment.Cache[*document]
	listings *moment.Cache[listing]
	daily    *moment.Cache[backend.Daily]
	picks    *moment.Cache[[]backend.Pick] // by person
}

func newShelf(life time.Duration) shelf {
	return shelf{
		pages: moment.New[*document](life, 64, time.Now), listings: moment.New[listing](life, 256, time.Now),
		daily: moment.New[backend.Daily](life, 1, time.Now), picks: moment.New[[]backend.Pick](life, 1024, time.Now),
	}
}

// listing is one page of the catalogue.
type listing struct {
	products []backend.Product
	next     string // the cursor of the page after it, "" after the last
}

// shared gives visitors without a session the same page for a moment, each with
// the name of their own trace. The page must show nothing but what its URL asks
// for; a fragment, and whoever has a cookie of ours, gets one of their own.
func (s *site) shared(h web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if fragment(r) || !s.sessions.Nobody(r) {
			return h(w, r)
		}
		doc, err := s.shelf.pages.Get(r.Context(), r.Host+" "+r.URL.RequestURI(), func(ctx context.Context) (*document, error) {
			return record(ctx, h, r)
		})
		if err != nil {
			return err
		}
		doc.send(w, r)
		return nil
	}
}

// noteVote keeps what others share from who has just voted.
func (s *site) noteVote(w http.ResponseWriter, r *http.Request) {
	if s.settings.Share > 0 {
		s.sessions.Voted(w, r)
	}
}

// fresh is what load gives, or gave somebody else a moment ago.
func fresh[V any](ctx context.Context, c *moment.Cache[V], key string, load func(context.Context) (V, error)) (V, error) {
	if session.JustVoted(ctx) {
		return load(ctx)
	}
	return c.Get(ctx, key, load)
}

// record has h answer the first visitor into a document for all. The deadline is
// a request's, but does not end with the visitor's patience.
func record(ctx context.Context, h web.Handler, r *http.Request) (*document, error) {
	ctx, cancel := context.WithTimeout(ctx, web.RequestTimeout)
	defer cancel()
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	if err := h(w, r.WithContext(ctx)); err != nil {
		return nil, err
	}
	if w.header["Set-Cookie"] != nil {
		return nil, errors.New("a page for everybody sets a cookie")
	}
	w.header.Del("Content-Length")
	return newDocument(w.status, w.header, w.body.Bytes(), telemetry.TraceID(ctx)), nil
}

// recorder is a response that nobody gets yet.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *recorder) Header() http.Header { return w.header }

// Write implements http.ResponseWriter.
func (w *recorder) Write(p []byte) (int, error) { return w.body.Write(p) }

// WriteHeader implements http.ResponseWriter.
func (w *recorder) WriteHeader(status int) { w.status = status }

// catalogue is a page of the grid.
func (s *site) catalogue(ctx context.Context, at place) (listing, error) {
	key := at.order.sort + " " + at.cursor
	return fresh(ctx, s.shelf.listings, key, func(ctx context.Context) (listing, error) {
		products, next, err := s.services.Catalogue.List(ctx, at.order.sort, at.cursor, batchSize)
		return listing{products, next}, err
	})
}

// picksFor are the picks for the person, or for everybody.
func (s *site) picksFor(ctx context.Context, who session.Session) ([]backend.Pick, error) {
	load := func(ctx context.Context) ([]backend.Pick, error) {
		return s.services.Recommendation.Picks(ctx, who.Token, pickCount)
	}
	if who.State == session.Unknown { // the token is not known to be good
		return load(ctx)
	}
	return fresh(ctx, s.shelf.picks, strconv.FormatInt(who.User.ID, 10), load)
}

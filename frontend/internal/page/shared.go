package page

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"craftista/frontend/internal/moment"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/a-h/templ"
)

// shelf is what those who look at the grid share for a moment, a person with
// themselves at least, so that a busy gallery costs its services one visitor a
// moment. Who has just voted in the same browser gets nothing from it: they see
// their vote at once, also without scripts and through another replica.
type shelf struct {
	pages    *moment.Cache[*document]
	listings *moment.Cache[listing]
	today    *moment.Cache[templ.Component]
	picks    *moment.Cache[templ.Component] // by person
	mine     *moment.Cache[[]int64]         // by person and place
}

func newShelf(life time.Duration) shelf {
	return shelf{
		pages: moment.New[*document](life, 64, time.Now), listings: moment.New[listing](life, 256, time.Now),
		today: moment.New[templ.Component](life, 1, time.Now), picks: moment.New[templ.Component](life, 1024, time.Now),
		mine: moment.New[[]int64](life, 1024, time.Now),
	}
}

// listing is one page of the catalogue, ready to be shown.
type listing struct {
	ids   []int64
	cards []faces
	next  string // the cursor of the page after it, "" after the last
}

// faces are a piece as those see it who have not voted for it, and who have.
type faces struct{ plain, voted templ.Component }

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
		doc.send(w)
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

// keep is c rendered once, when it is first shown, for all who show it then. c
// must not depend on who looks.
func keep(c templ.Component) templ.Component {
	html := sync.OnceValues(func() ([]byte, error) {
		var b bytes.Buffer
		err := c.Render(context.Background(), &b)
		return b.Bytes(), err
	})
	return templ.ComponentFunc(func(_ context.Context, w io.Writer) error {
		body, err := html()
		if err == nil {
			_, err = w.Write(body)
		}
		return err
	})
}

// catalogue is a page of the grid.
func (s *site) catalogue(ctx context.Context, at place) (listing, error) {
	return fresh(ctx, s.shelf.listings, at.url(), func(ctx context.Context) (listing, error) {
		products, next, err := s.services.Catalogue.Find(ctx, at.query, at.order.sort, at.cursor, at.size)
		list := listing{next: next}
		for _, p := range products {
			list.ids = append(list.ids, p.ID)
			list.cards = append(list.cards, faces{keep(view.CardItem(s.card(p, false))), keep(view.CardItem(s.card(p, true)))})
		}
		return list, err
	})
}

// mineAmong is mine for a page of the grid: as old as the page may be, except
// right after a vote.
func (s *site) mineAmong(ctx context.Context, at place, list listing) []int64 {
	who := session.From(ctx)
	if who.State != session.SignedIn {
		return s.mine(ctx, list.ids)
	}
	key := strconv.FormatInt(who.User.ID, 10) + " " + at.url()
	mine, err := fresh(ctx, s.shelf.mine, key, func(ctx context.Context) ([]int64, error) { return s.askMine(ctx, who, list.ids) })
	if err != nil {
		web.NoteFailure(ctx, err)
	}
	return mine
}

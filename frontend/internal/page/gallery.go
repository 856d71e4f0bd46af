package page

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/pagecache"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const (
	pickCount = 4
	maxPages  = 64 // that visitors share at once
)

// gallery is the front page and the search.
type gallery struct {
	*site
	services backend.Services
	pages    *pagecache.Pages
}

// forVisitors gives visitors without a session the same page for a second or so, so
// that a busy gallery costs its services one visitor's calls. The page must show
// nothing but what its URL asks for; a fragment, and whoever has a cookie of ours,
// gets one of their own.
func (h gallery) forVisitors(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if fragment(r) || !h.sessions.IsAnonymous(r) {
			return next(w, r)
		}
		return h.pages.Serve(w, r, r.Host+" "+r.URL.RequestURI(), next)
	}
}

// show answers GET /: the front page, the products that a search finds, or with
// a cursor a later page of the grid. htmx gets the part that changes.
func (h gallery) show(w http.ResponseWriter, r *http.Request) error {
	at := placeOf(r.URL.Query())
	switch {
	case fragment(r) && at.cursor != "":
		return h.more(w, r, at)
	case fragment(r):
		return h.found(w, r, at)
	}
	model := view.Gallery{Search: h.searchForm(at), Grid: gridAt(at)}
	var batchErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Grid.Batch, batchErr = h.batch(r.Context(), at, 0) })
	wg.Go(func() { model.Front = h.front(r.Context(), at) })
	wg.Wait()
	model.Grid.Heading = at.foundText(model.Grid.Batch)
	switch {
	case fault.KindOf(batchErr) == fault.Unavailable:
		model.Grid.Unavailable, model.Grid.Heading = true, place{}.foundText(view.Batch{})
		web.RecordError(r.Context(), batchErr)
	case batchErr != nil:
		return batchErr // such as a cursor that is none
	}
	var social view.OpenGraph
	if at.isFront() {
		social = h.openGraph(r, "website", siteTitle, "", backend.Product{})
	}
	return h.pageWithOpenGraph(w, r, http.StatusOK, at.title(), social, view.GalleryPage(model))
}

// front is what stands above the grid.
func (h gallery) front(ctx context.Context, at place) view.Front {
	front := view.Front{Continued: at.cursor != "", Chosen: at.query != "" || at.difficulty != ""}
	if !at.isFront() {
		return front
	}
	var wg sync.WaitGroup
	wg.Go(func() { front.Today = h.today(ctx) })
	wg.Go(func() { front.Picks = h.pickSection(ctx) })
	wg.Wait()
	return front
}

// batch is the products from a place on, with the person's own votes marked; before
// says how many the page shows above them.
func (h gallery) batch(ctx context.Context, at place, before int) (view.Batch, error) {
	if at.wordless() {
		return view.Batch{}, nil
	}
	products, next, err := h.services.Catalogue.Find(ctx, backend.Listing{
		Query: at.query, Difficulty: at.difficulty, Sort: at.order.sort, Cursor: at.cursor, Limit: at.size,
	})
	if err != nil {
		return view.Batch{}, err
	}
	ids := make([]int64, len(products))
	for i, p := range products {
		ids[i] = p.ID
	}
	mine := votedFor(ctx, h.services.Catalogue, ids...)
	batch := view.Batch{Cards: make([]view.Card, len(products))}
	for i, p := range products {
		batch.Cards[i] = h.card(p, slices.Contains(mine, p.ID))
	}
	if next != "" {
		shown := before + len(products)
		after := at
		after.cursor, after.size = next, batchSize
		batch.MoreURL = after.url()
		batch.Shown, batch.Endless = strconv.Itoa(shown), shown < endless
	}
	return batch, nil
}

func (h gallery) today(ctx context.Context) view.Today {
	daily, err := h.services.Recommendation.Daily(ctx)
	instead := view.Today{Unavailable: true, Art: h.drawing("crane", "tint-0")}
	switch fault.KindOf(err) {
	case fault.None:
	case fault.NotFound:
		instead.Description = "The gallery is empty so far. Its first piece will appear here."
		return instead
	default:
		web.RecordError(ctx, err)
		instead.Description = "Today’s piece is not available right now. Please try again in a moment."
		return instead
	}
	return view.Today{
		ID: decimal(daily.ID), Name: daily.Name, URL: productURL(daily.ID), Description: daily.Description,
		Date: longDate(daily.Date), Count: plural(daily.Votes, "vote"), Stale: daily.Stale,
		Art: h.art(daily.Product, daily.Name+", folded from paper"),
	}
}

// picks answers GET /recommendations with the recommendation area alone. It is
// a part of the front page, so a visit without htmx goes there.
func (h gallery) picks(w http.ResponseWriter, r *http.Request) error {
	if !fragment(r) {
		return redirectTo(w, r, "/#picks")
	}
	return send(w, r, http.StatusOK, view.PicksSection(h.pickSection(r.Context())))
}

// pickSection is the recommendation area for the person, or for everybody.
func (h gallery) pickSection(ctx context.Context) view.Picks {
	who, model := session.From(ctx), view.Picks{Heading: "Loved by many"}
	if who.State == session.SignedIn {
		model.Heading = "Picked for you"
	}
	picks, err := h.services.Recommendation.Picks(ctx, who.Token, pickCount)
	if err != nil {
		web.RecordError(ctx, err)
		model.Unavailable = true
	}
	model.Picks = h.pickList(picks)
	return model
}

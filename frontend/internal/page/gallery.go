package page

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const pickCount = 4

// gallery is the front page and the search.
type gallery struct {
	*site
	services backend.Services
	caches   caches
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
	model := view.Gallery{Search: searchForm(at), Grid: gridAt(at)}
	var batchErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Grid.Batch, batchErr = h.batch(r.Context(), at, 0) })
	wg.Go(func() { model.Front = h.front(r.Context(), at) })
	wg.Wait()
	model.Grid.Heading = foundText(at.query, model.Grid.Batch)
	switch {
	case fault.KindOf(batchErr) == fault.Unavailable:
		model.Grid.Unavailable, model.Grid.Heading = true, foundText("", view.Batch{})
		web.NoteFailure(r.Context(), batchErr)
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
	front := view.Front{Continued: at.cursor != "", Search: at.query}
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
	list, err := h.list(ctx, at)
	if err != nil {
		return view.Batch{}, err
	}
	mine := h.votedFor(ctx, at, list.ids)
	batch := view.Batch{Cards: make([]view.Card, len(list.products))}
	for i, p := range list.products {
		batch.Cards[i] = h.card(p, slices.Contains(mine, p.ID))
	}
	if list.next != "" {
		shown := before + len(list.ids)
		batch.MoreURL = place{query: at.query, order: at.order, cursor: list.next, size: batchSize}.url()
		batch.Shown, batch.Endless = strconv.Itoa(shown), shown < endless
	}
	return batch, nil
}

func (h gallery) today(ctx context.Context) view.Today {
	daily, err := cached(ctx, h.caches.today, "", h.services.Recommendation.Daily)
	if err != nil {
		web.NoteFailure(ctx, err)
		return view.Today{Unavailable: true, Art: h.drawing("crane", "tint-0")}
	}
	return view.Today{
		ID: decimal(daily.ID), Name: daily.Name, URL: productURL(daily.ID), Description: daily.Description,
		Date: longDate(daily.Date), Count: plural(daily.Votes, "vote"),
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
	load := func(ctx context.Context) ([]backend.Pick, error) {
		return h.services.Recommendation.Picks(ctx, who.Token, pickCount)
	}
	var picks []backend.Pick
	var err error
	if who.State == session.Unknown { // nobody can tell whose token that is
		picks, err = load(ctx)
	} else {
		picks, err = cached(ctx, h.caches.picks, decimal(who.User.ID), load)
	}
	if err != nil {
		web.NoteFailure(ctx, err)
		model.Unavailable = true
	}
	model.Picks = h.pickList(picks)
	return model
}

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

// gallery answers GET /: the front page, the products that a search finds, or with
// a cursor a later page of the grid. htmx gets the part that changes.
func (s *site) gallery(w http.ResponseWriter, r *http.Request) error {
	at := placeOf(r.URL.Query())
	switch {
	case fragment(r) && at.cursor != "":
		return s.further(w, r, at)
	case fragment(r):
		return s.found(w, r, at)
	}
	model := view.Gallery{Search: searchForm(at), Grid: gridAt(at)}
	var batchErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Grid.Batch, batchErr = s.batch(r.Context(), at, 0) })
	wg.Go(func() { model.Front = s.front(r.Context(), at) })
	wg.Wait()
	model.Grid.Heading = foundText(at.query, model.Grid.Batch)
	switch {
	case fault.KindOf(batchErr) == fault.Unavailable:
		model.Grid.Away, model.Grid.Heading = true, foundText("", view.Batch{})
		web.NoteFailure(r.Context(), batchErr)
	case batchErr != nil:
		return batchErr // such as a cursor that is none
	}
	openGraph := view.OpenGraph{}
	if at.isFront() {
		openGraph = s.openGraph(r, "website", siteTitle, "", backend.Product{})
	}
	return s.pageWithOpenGraph(w, r, http.StatusOK, at.title(), openGraph, view.GalleryPage(model))
}

// front is what stands above the grid.
func (s *site) front(ctx context.Context, at place) view.Front {
	front := view.Front{Continued: at.cursor != "", Search: at.query}
	if !at.isFront() {
		return front
	}
	var wg sync.WaitGroup
	wg.Go(func() { front.Today = s.today(ctx) })
	wg.Go(func() { front.Picks = s.pickSection(ctx) })
	wg.Wait()
	return front
}

// batch is the products from a place on, with the person's own votes marked; before
// says how many the page shows above them.
func (s *site) batch(ctx context.Context, at place, before int) (view.Batch, error) {
	list, err := s.list(ctx, at)
	if err != nil {
		return view.Batch{}, err
	}
	mine := s.mineAmong(ctx, at, list.ids)
	batch := view.Batch{Cards: make([]view.Card, len(list.products))}
	for i, p := range list.products {
		batch.Cards[i] = s.card(p, slices.Contains(mine, p.ID))
	}
	if list.next != "" {
		shown := before + len(list.ids)
		batch.MoreURL = place{query: at.query, order: at.order, cursor: list.next, size: batchSize}.url()
		batch.Shown, batch.Endless = strconv.Itoa(shown), shown < endless
	}
	return batch, nil
}

// mine are those of the ids that the person voted for. Where that cannot be
// learnt nothing is marked: to vote again changes nothing.
func (s *site) mine(ctx context.Context, ids []int64) []int64 {
	mine, err := s.askMine(ctx, session.From(ctx), ids)
	if err != nil {
		web.NoteFailure(ctx, err)
	}
	return mine
}

func (s *site) askMine(ctx context.Context, who session.Session, ids []int64) ([]int64, error) {
	if who.Token == "" {
		return nil, nil
	}
	return s.services.Catalogue.Mine(ctx, who.Token, ids)
}

func (s *site) today(ctx context.Context) view.Today {
	daily, err := cached(ctx, s.caches.today, "", s.services.Recommendation.Daily)
	if err != nil {
		web.NoteFailure(ctx, err)
		return view.Today{Away: true, Art: view.Art{URL: s.assets.URL("origami/crane.svg"), Tint: "tint-0"}}
	}
	return s.todayModel(daily)
}

func (s *site) todayModel(daily backend.Daily) view.Today {
	return view.Today{
		ID: strconv.FormatInt(daily.ID, 10), Name: daily.Name, URL: productURL(daily.ID), Description: daily.Description,
		Date: longDate(daily.Date), Count: plural(daily.Votes, "vote"), Art: s.art(daily.Product, daily.Name+", folded from paper"),
	}
}

// picks answers GET /recommendations with the recommendation area alone. It is
// a part of the front page, so a visit without htmx goes there.
func (s *site) picks(w http.ResponseWriter, r *http.Request) error {
	if !fragment(r) {
		return redirectTo(w, r, "/#picks")
	}
	return send(w, r, http.StatusOK, view.PicksSection(s.pickSection(r.Context())))
}

// pickSection is the recommendation area for the person, or for everybody.
func (s *site) pickSection(ctx context.Context) view.Picks {
	who, model := session.From(ctx), view.Picks{Heading: "Loved by many"}
	if who.State == session.SignedIn {
		model.Heading = "Picked for you"
	}
	load := func(ctx context.Context) ([]backend.Pick, error) {
		return s.services.Recommendation.Picks(ctx, who.Token, pickCount)
	}
	var picks []backend.Pick
	var err error
	if who.State == session.Unknown { // nobody can tell whose token that is
		picks, err = load(ctx)
	} else {
		picks, err = cached(ctx, s.caches.picks, strconv.FormatInt(who.User.ID, 10), load)
	}
	if err != nil {
		web.NoteFailure(ctx, err)
		model.Away = true
		return model
	}
	model.Picks = s.pickList(picks)
	return model
}

func (s *site) pickList(picks []backend.Pick) []view.Pick {
	list := make([]view.Pick, len(picks))
	for i, p := range picks {
		list[i] = view.Pick{
			ID: strconv.FormatInt(p.ID, 10), Name: p.Name, URL: productURL(p.ID), Reason: p.Reason,
			Count: plural(p.Votes, "vote"), Art: s.art(p.Product, ""),
		}
	}
	return list
}

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

	"github.com/a-h/templ"
)

const pickCount = 4

// gallery answers GET /: the front page, the pieces that a search finds, or with
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
	share := view.Share{}
	if at.isFront() {
		share = s.share(r, "website", siteTitle, "", backend.Product{})
	}
	return s.sharedPage(w, r, http.StatusOK, at.title(), share, view.GalleryPage(model))
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

// batch is the pieces from a place on, with the person's own votes marked; before
// says how many the page shows above them.
func (s *site) batch(ctx context.Context, at place, before int) (view.Batch, error) {
	list, err := s.catalogue(ctx, at)
	if err != nil {
		return view.Batch{}, err
	}
	mine := s.mineAmong(ctx, at, list)
	batch := view.Batch{Cards: make([]templ.Component, len(list.ids))}
	for i, id := range list.ids {
		batch.Cards[i] = list.cards[i].plain
		if slices.Contains(mine, id) {
			batch.Cards[i] = list.cards[i].voted
		}
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

func (s *site) today(ctx context.Context) templ.Component {
	hero, err := fresh(ctx, s.shelf.today, "", func(ctx context.Context) (templ.Component, error) {
		daily, err := s.services.Recommendation.Daily(ctx)
		return keep(view.TodaySection(s.todayModel(daily))), err
	})
	if err != nil {
		web.NoteFailure(ctx, err)
		return view.TodaySection(view.Today{Away: true, Art: view.Art{URL: s.assets.URL("origami/crane.svg"), Tint: "tint-0"}})
	}
	return hero
}

func (s *site) todayModel(daily backend.Daily) view.Today {
	return view.Today{
		ID: strconv.FormatInt(daily.ID, 10), Name: daily.Name, URL: pieceURL(daily.ID), Description: daily.Description,
		Date: longDate(daily.Date), Count: plural(daily.Votes, "vote"), Art: s.art(daily.Product, daily.Name+", folded from paper"),
	}
}

// picks answers GET /recommendations with the recommendation area alone. It is
// a part of the front page, so a visit without htmx goes there.
func (s *site) picks(w http.ResponseWriter, r *http.Request) error {
	if !fragment(r) {
		return leadTo(w, r, "/#picks")
	}
	return send(w, r, http.StatusOK, s.pickSection(r.Context()))
}

// pickSection is the recommendation area for the person, or for everybody.
func (s *site) pickSection(ctx context.Context) templ.Component {
	who := session.From(ctx)
	heading := "Loved by many"
	if who.State == session.SignedIn {
		heading = "Picked for you"
	}
	load := func(ctx context.Context) (templ.Component, error) {
		picks, err := s.services.Recommendation.Picks(ctx, who.Token, pickCount)
		return keep(view.PicksSection(view.Picks{Heading: heading, Picks: s.pickList(picks)})), err
	}
	var section templ.Component
	var err error
	if who.State == session.Unknown { // nobody knows whose token that is
		section, err = load(ctx)
	} else {
		section, err = fresh(ctx, s.shelf.picks, strconv.FormatInt(who.User.ID, 10), load)
	}
	if err != nil {
		web.NoteFailure(ctx, err)
		return view.PicksSection(view.Picks{Heading: heading, Away: true})
	}
	return section
}

func (s *site) pickList(picks []backend.Pick) []view.Pick {
	list := make([]view.Pick, len(picks))
	for i, p := range picks {
		list[i] = view.Pick{
			ID: strconv.FormatInt(p.ID, 10), Name: p.Name, URL: pieceURL(p.ID), Reason: p.Reason,
			Count: plural(p.Votes, "vote"), Art: s.art(p.Product, ""),
		}
	}
	return list
}

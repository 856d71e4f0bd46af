package page

import (
	"context"
	"net/http"
	"net/url"
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

const (
	batchSize = 12
	pickCount = 4
)

// order is one order of the grid: its name in our URLs, its label, and its name
// in the catalogue.
type order struct{ name, label, sort string }

// orders are the orders on offer; the first is the usual one.
func orders() []order {
	return []order{{"loved", "Most loved", "-votes"}, {"newest", "Newest", "-created_at"}, {"name", "By name", "name"}}
}

// place is where in the grid a request is. The zero cursor is the beginning.
type place struct {
	order  order
	cursor string
}

func placeOf(r *http.Request) place {
	query := r.URL.Query()
	p := place{order: orders()[0], cursor: query.Get("cursor")}
	for _, o := range orders() {
		if o.name == query.Get("sort") {
			p.order = o
		}
	}
	return p
}

// url is the place's own; the usual order at the beginning is the bare site.
func (p place) url() string {
	query := url.Values{}
	if p.order.name != orders()[0].name {
		query.Set("sort", p.order.name)
	}
	if p.cursor != "" {
		query.Set("cursor", p.cursor)
	}
	return (&url.URL{Path: "/", RawQuery: query.Encode()}).String()
}

// gallery answers GET /: the front page; with a cursor a later page of the grid,
// which is the fragment that htmx appends.
func (s *site) gallery(w http.ResponseWriter, r *http.Request) error {
	at := placeOf(r)
	if fragment(r) {
		batch, err := s.batch(r.Context(), at)
		if err != nil {
			return err
		}
		return send(w, r, http.StatusOK, view.BatchFragment(batch, plural(int64(len(batch.Cards)), "more piece")+"."))
	}
	model := view.Gallery{Sorts: sorts(at), Continued: at.cursor != "", RetryURL: at.url()}
	var batchErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Batch, batchErr = s.batch(r.Context(), at) })
	if !model.Continued {
		wg.Go(func() { model.Today = s.today(r.Context()) })
		wg.Go(func() { model.Picks = s.pickSection(r.Context()) })
	}
	wg.Wait()
	model.Away = fault.KindOf(batchErr) == fault.Unavailable
	switch {
	case model.Away:
		web.NoteFailure(r.Context(), batchErr)
	case batchErr != nil:
		return batchErr // such as a cursor that is none
	}
	share := view.Share{}
	if !model.Continued {
		share = s.share(r, "website", siteTitle, "", backend.Product{})
	}
	return s.sharedPage(w, r, http.StatusOK, "", share, view.GalleryPage(model))
}

// batch is one page of the grid with the person's own votes marked.
func (s *site) batch(ctx context.Context, at place) (view.Batch, error) {
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
		batch.MoreURL = place{order: at.order, cursor: list.next}.url()
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

func sorts(at place) []view.Sort {
	var all []view.Sort
	for _, o := range orders() {
		all = append(all, view.Sort{Label: o.label, URL: place{order: o}.url(), Current: o.name == at.order.name})
	}
	return all
}

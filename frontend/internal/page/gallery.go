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
	"craftista/shared/token"
	"craftista/shared/web"
)

const (
	pickCount  = 4
	maxPages   = 64   // that are shared at once
	maxPickers = 1000 // people whose picks are stored at once
	picksTTL   = 10   // times as long as what is shared, unless they vote
)

// gallery is the front page and the search.
type gallery struct {
	*site
	services backend.Services
	pages    *pagecache.Pages // whole ones, of visitors

	// What people who are signed in share, or get again. Its counts are not shown.
	lists *pagecache.Values[listed]
	days  *pagecache.Values[backend.Daily]
	picks *pagecache.Values[[]backend.Pick] // by the person's id
}

// listed is a page of products, and the cursor of the page after it.
type listed struct {
	products []backend.Product
	next     string
}

// shares reports whether the person gets what is shared. Curators do not, because they
// look for their edits; for visitors whole pages are.
func (h gallery) shares(who session.Session) bool {
	return h.settings.CacheTTL > 0 && who.State == session.SignedIn && who.User.Role == token.RoleUser
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
	model.Grid.Batch, model.Front, batchErr = h.content(r.Context(), at, 0)
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

// highlights are what the front page shows above its grid.
type highlights struct {
	today              backend.Daily
	picks              []backend.Pick
	todayErr, picksErr error
}

// highlights take at most two thirds of the page's time: the person's votes are asked for after them.
func (h gallery) highlights(ctx context.Context) (found highlights) {
	ctx, cancel := context.WithTimeout(ctx, h.services.PageTimeout*2/3)
	defer cancel()
	var wg sync.WaitGroup
	wg.Go(func() { found.today, found.todayErr = h.daily(ctx) })
	wg.Go(func() { found.picks, found.picksErr = h.picksOf(ctx) })
	wg.Wait()
	return found
}

// content is the products from a place on, and what stands above the grid, with the
// person's own votes marked and the counts of now; before says how many products the
// page shows above these. What is above is there without the products, too.
func (h gallery) content(ctx context.Context, at place, before int) (view.Batch, view.Front, error) {
	front := view.Front{Continued: at.cursor != "", Chosen: at.query != "" || at.difficulty != ""}
	var found listed
	var above highlights
	var err error
	var wg sync.WaitGroup
	wg.Go(func() { found, err = h.find(ctx, at) })
	if at.isFront() {
		wg.Go(func() { above = h.highlights(ctx) })
	}
	wg.Wait()
	var ids []int64
	for _, p := range found.products {
		ids = append(ids, p.ID)
	}
	if above.today.ID > 0 {
		ids = append(ids, above.today.ID)
	}
	for _, p := range above.picks {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	var mine backend.Mine
	if err == nil { // else the catalogue has no votes either
		mine = votedFor(ctx, h.services.Catalogue, slices.Compact(ids)...)
	}
	if at.isFront() {
		above.today.Product = fresh(above.today.Product, mine.Counts)
		picks := h.notVotedFor(ctx, above.picks, mine)
		front.Today, front.Picks = h.today(ctx, above.today, above.todayErr), h.pickSection(ctx, picks, above.picksErr)
	}
	return h.batch(at, found, mine, before), front, err
}

// notVotedFor is the stored picks with the counts of now, without those that the person voted for since.
func (h gallery) notVotedFor(ctx context.Context, picks []backend.Pick, mine backend.Mine) (kept []backend.Pick) {
	for _, p := range picks {
		if p.Product = fresh(p.Product, mine.Counts); !slices.Contains(mine.OrigamiIDs, p.ID) {
			kept = append(kept, p)
		}
	}
	if len(kept) < len(picks) {
		h.picks.Forget(decimal(session.From(ctx).User.ID)) // the next page has as many again
	}
	return kept
}

// fresh is the product with its count among counts, if it is there.
func fresh(p backend.Product, counts []backend.Count) backend.Product {
	for _, c := range counts {
		if c.ID == p.ID {
			p.Votes = c.Votes
		}
	}
	return p
}

// find is the products from a place on, without marks.
func (h gallery) find(ctx context.Context, at place) (listed, error) {
	if at.wordless() {
		return listed{}, nil
	}
	load := func(ctx context.Context) (found listed, err error) {
		found.products, found.next, err = h.services.Catalogue.Find(ctx, backend.Listing{
			Query: at.query, Difficulty: at.difficulty, Sort: at.order.sort, Cursor: at.cursor, Limit: at.size,
		})
		return found, err
	}
	if !at.isFront() || !h.shares(session.From(ctx)) {
		return load(ctx)
	}
	return h.lists.Load(ctx, at.url(), load)
}

// batch is the cards of what was found, and where more of them are; before is as in content.
func (h gallery) batch(at place, found listed, mine backend.Mine, before int) view.Batch {
	batch := view.Batch{Cards: make([]view.Card, len(found.products))}
	for i, p := range found.products {
		batch.Cards[i] = h.card(fresh(p, mine.Counts), slices.Contains(mine.OrigamiIDs, p.ID))
	}
	if next := found.next; next != "" {
		shown := before + len(found.products)
		after := at
		after.cursor, after.size = next, batchSize
		batch.MoreURL = after.url()
		batch.Shown, batch.Endless = strconv.Itoa(shown), shown < endless
	}
	return batch
}

func (h gallery) daily(ctx context.Context) (backend.Daily, error) {
	if !h.shares(session.From(ctx)) {
		return h.services.Recommendation.Daily(ctx)
	}
	return h.days.Load(ctx, "", h.services.Recommendation.Daily)
}

func (h gallery) today(ctx context.Context, daily backend.Daily, err error) view.Today {
	instead := view.Today{Unavailable: true, Art: h.drawing("crane", "0")}
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

// showPicks answers GET /recommendations with the recommendation area alone, chosen anew.
// It is a part of the front page, so a visit without htmx goes there.
func (h gallery) showPicks(w http.ResponseWriter, r *http.Request) error {
	if !fragment(r) {
		return redirectTo(w, r, "/#picks")
	}
	ctx := r.Context()
	h.picks.Forget(decimal(session.From(ctx).User.ID))
	picks, err := h.picksOf(ctx)
	return send(w, r, http.StatusOK, view.PicksSection(h.pickSection(ctx, picks, err)))
}

// picksOf are the picks for the person, or for everybody.
func (h gallery) picksOf(ctx context.Context) ([]backend.Pick, error) {
	who := session.From(ctx)
	load := func(ctx context.Context) ([]backend.Pick, error) {
		return h.services.Recommendation.Picks(ctx, who.Token, pickCount)
	}
	if !h.shares(who) {
		return load(ctx)
	}
	return h.picks.Load(ctx, decimal(who.User.ID), load)
}

// pickSection is the recommendation area.
func (h gallery) pickSection(ctx context.Context, picks []backend.Pick, err error) view.Picks {
	model := view.Picks{Heading: "Loved by many", Picks: h.pickList(picks)}
	if session.From(ctx).State == session.SignedIn {
		model.Heading = "Picked for you"
	}
	if err != nil {
		web.RecordError(ctx, err)
		model.Unavailable = true
	}
	return model
}

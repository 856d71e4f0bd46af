package page

import (
	"context"
	"net/http"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/pagecache"
	"craftista/frontend/internal/session"
	"craftista/shared/web"
)

// caches are what visitors of the gallery share for a second or so, a person with
// themselves at least, so that a busy gallery costs its services one visitor's
// calls. Who has just voted in the same browser gets nothing from them: they see
// their vote at once, also without scripts and through another replica.
type caches struct {
	pages    *pagecache.Pages
	listings *pagecache.Cache[listing]
	today    *pagecache.Cache[backend.Daily]
	picks    *pagecache.Cache[[]backend.Pick] // by person
	mine     *pagecache.Cache[[]int64]        // by person and place
}

func newCaches(ttl time.Duration) caches {
	return caches{
		pages: pagecache.NewPages(ttl, 64), listings: pagecache.New[listing](ttl, 256),
		today: pagecache.New[backend.Daily](ttl, 1), picks: pagecache.New[[]backend.Pick](ttl, 1024),
		mine: pagecache.New[[]int64](ttl, 1024),
	}
}

// listing is one page of the catalogue.
type listing struct {
	products []backend.Product
	ids      []int64
	next     string // the cursor of the page after it, "" after the last
}

// forVisitors gives visitors without a session the same page. The page must show
// nothing but what its URL asks for; a fragment, and whoever has a cookie of ours,
// gets one of their own.
func (h gallery) forVisitors(next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if fragment(r) || !h.sessions.IsAnonymous(r) {
			return next(w, r)
		}
		return h.caches.pages.Serve(w, r, r.Host+" "+r.URL.RequestURI(), next)
	}
}

// cached is what c has, or what load gives; always the latter right after a vote.
func cached[V any](
	ctx context.Context, c *pagecache.Cache[V], key string, load func(context.Context) (V, error),
) (V, error) {
	if session.JustVoted(ctx) {
		return load(ctx)
	}
	return c.Get(ctx, key, load)
}

// list is a page of the grid.
func (h gallery) list(ctx context.Context, at place) (listing, error) {
	return cached(ctx, h.caches.listings, at.url(), func(ctx context.Context) (list listing, err error) {
		list.products, list.next, err = h.services.Catalogue.Find(ctx, at.query, at.order.sort, at.cursor, at.size)
		for _, p := range list.products {
			list.ids = append(list.ids, p.ID)
		}
		return list, err
	})
}

// votedFor is the function of that name for a page of the grid: as old as the page
// may be, except right after a vote.
func (h gallery) votedFor(ctx context.Context, at place, ids []int64) []int64 {
	who := session.From(ctx)
	if who.State != session.SignedIn {
		return votedFor(ctx, h.services.Catalogue, ids...)
	}
	key := decimal(who.User.ID) + " " + at.url()
	mine, err := cached(ctx, h.caches.mine, key, func(ctx context.Context) ([]int64, error) {
		return h.services.Catalogue.Mine(ctx, who.Token, ids)
	})
	if err != nil {
		web.NoteFailure(ctx, err)
	}
	return mine
}

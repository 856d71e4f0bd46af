package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// productPage is the page of one product.
type productPage struct {
	*site
	services backend.Services
}

// show answers GET /origamis/{id}.
func (h productPage) show(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	var product backend.Product
	var mine backend.Mine
	var also view.Picks
	var wg sync.WaitGroup
	wg.Go(func() { product, err = h.services.Catalogue.Product(r.Context(), id) })
	wg.Go(func() { mine = votedFor(r.Context(), h.services.Catalogue, id) })
	wg.Go(func() { also = h.alsoLiked(r.Context(), id) })
	wg.Wait()
	if err != nil {
		return err
	}
	also.Heading = "People who love this also love"
	if product.Votes == 0 {
		also.Heading = "Loved by many"
	}
	social := h.openGraph(r, "article", product.Name, product.Description, product)
	return h.pageWithOpenGraph(w, r, http.StatusOK, product.Name, social, view.ProductPage(view.Product{
		ID: decimal(id), Name: product.Name, Description: product.Description,
		Folds: strconv.Itoa(product.Folds), Paper: product.Paper, Level: level(product.Difficulty),
		Maker: product.Maker, Instructions: instructions(product.InstructionsURL),
		Art:  h.art(product, product.Name+", folded from paper"),
		Vote: voteModel(id, product.Name, product.Votes, slices.Contains(mine.OrigamiIDs, id)),
		URL:  productURL(id), Address: cmp.Or(social.URL, productURL(id)), AlsoLiked: also,
		EditURL: editURL(session.From(r.Context()), id), Script: h.assets.URL("js/larger.js"),
	}))
}

// instructions is the link to where a product's folding is taught. The catalogue vouches for its form; here it is
// checked again, as it becomes a link.
func instructions(address string) view.Instructions {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Hostname() == "" {
		return view.Instructions{}
	}
	return view.Instructions{URL: u.String(), Host: strings.TrimPrefix(u.Hostname(), "www.")}
}

// alsoLiked is what goes with a product, without a heading.
func (h productPage) alsoLiked(ctx context.Context, id int64) view.Picks {
	picks, err := h.services.Recommendation.AlsoLiked(ctx, id, pickCount)
	if err != nil {
		if fault.KindOf(err) != fault.NotFound { // the catalogue says so too
			web.RecordError(ctx, err)
		}
		return view.Picks{Unavailable: true}
	}
	return view.Picks{Picks: h.pickList(picks)}
}

// votedFor is which of the ids the request's person voted for. Where that
// cannot be learnt nothing is marked: to vote again changes nothing.
func votedFor(ctx context.Context, c backend.Catalogue, ids ...int64) backend.Mine {
	who := session.From(ctx)
	if who.Token == "" {
		return backend.Mine{}
	}
	mine, err := c.Mine(ctx, who.Token, ids)
	if err != nil {
		web.RecordError(ctx, err)
	}
	return mine
}

package backend

import (
	"context"
	"net/url"
	"slices"
	"strconv"

	"craftista/shared/fault"

	"golang.org/x/sync/errgroup"
)

// parallel is how many products are fetched at once for one page.
const parallel = 6

// Mine is what a person voted for.
type Mine struct {
	OrigamiIDs []int64 `json:"origami_ids"`
	Counts     []Count `json:"counts"` // of all votes, by anybody
}

// MyVotes are at most limit ids of products that the bearer's person voted for, the
// latest first, and the cursor of the page after it, "" after the last. A cursor
// that is none is BadRequest or Invalid.
func (c Catalogue) MyVotes(ctx context.Context, bearer, cursor string, limit int) ([]int64, string, error) {
	query := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(limit)}}
	reply, next, err := getPage[Mine](ctx, c.client, "/api/votes/mine", query, bearer)
	return reply.OrigamiIDs, next, err
}

// Products are the products with those ids, in their order, without those that are
// deleted, a few fetched at a time. The first error is the answer to all.
func (c Catalogue) Products(ctx context.Context, ids []int64) ([]Product, error) {
	products := make([]Product, len(ids))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for i, id := range ids {
		group.Go(func() (err error) {
			if products[i], err = c.Product(ctx, id); fault.KindOf(err) == fault.NotFound {
				err = nil
			}
			return err
		})
	}
	err := group.Wait()
	return slices.DeleteFunc(products, func(p Product) bool { return p.ID == 0 }), err
}

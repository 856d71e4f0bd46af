package postgres

import (
	"context"
	"fmt"
	"strconv"

	"craftista/product/internal/core"
)

// Products implements core.Store.
func (s *Store) Products(ctx context.Context, p core.Page) ([]core.Product, error) {
	if p.Query != "" {
		return s.search(ctx, p)
	}
	query, args := pageQuery(p)
	return s.selectProducts(ctx, query, args)
}

// pageQuery is keyset paging: each order has an index that starts at the
// position and stops at the limit, however deep the page.
func pageQuery(p core.Page) (query string, args arguments) {
	o := orderOf(p, &args)
	return selectProduct + `
	   AND ` + o.after + `
	 ORDER BY ` + o.by + `
	 LIMIT ` + args.add(p.Limit), args
}

// order is SQL for the pieces after a position. Each has an index.
type order struct {
	keys, after, by string // the columns it goes by, and id; the condition; the order
	page            core.Page
}

func orderOf(p core.Page, args *arguments) order {
	switch at := p.After; p.Sort {
	case core.SortVotes:
		return order{"id, votes", "(votes, id) < (" + args.add(at.Votes) + ", " + args.add(at.ID) + ")", "votes DESC, id DESC", p}
	case core.SortName:
		return order{"id, name", "(name, id) > (" + args.add(at.Name) + ", " + args.add(at.ID) + ")", "name, id", p}
	case core.SortNewest:
		return order{"id, created_at", "(created_at, id) < (" + args.add(at.CreatedAt) + ", " + args.add(at.ID) + ")", "created_at DESC, id DESC", p}
	default:
		return order{"id", "id > " + args.add(at.ID), "id", p}
	}
}

// ahead is a subquery for the keys of the next pieces, which reads the index
// alone.
func (o order) ahead(steps int, args *arguments) string {
	return `
	SELECT ` + o.keys + `
	  FROM product.products
	 WHERE deleted_at IS NULL
	   AND ` + o.after + `
	 ORDER BY ` + o.by + `
	 LIMIT ` + args.add(steps)
}

// look is a subquery for the keys of those of the ids, which may come twice, that
// are after the position, in order.
func (o order) look(ids string) string {
	return `
	SELECT ` + o.keys + `
	  FROM product.products
	 WHERE deleted_at IS NULL
	   AND ` + o.after + `
	   AND id = ANY (ARRAY (` + ids + `))
	 ORDER BY ` + o.by
}

// place is the place of the position in product.places, which has none by id.
func (o order) place(args *arguments) string {
	switch at := o.page.After; o.page.Sort {
	case core.SortVotes:
		return "product.place_by_votes(" + args.add(at.Votes) + ")"
	case core.SortName:
		return "product.place_by_name(" + args.add(at.Name) + ")"
	default:
		return "product.place_by_age(" + args.add(at.CreatedAt) + ")"
	}
}

// arguments are those of a query that is put together.
type arguments []any

// add returns the placeholder for v.
func (a *arguments) add(v any) string {
	*a = append(*a, v)
	return "$" + strconv.Itoa(len(*a))
}

func (s *Store) selectProducts(ctx context.Context, query string, args arguments) ([]core.Product, error) {
	var rows []row
	if err := s.db.SelectContext(ctx, &rows, query, args...); err != nil {
		return nil, fmt.Errorf("select products: %w", err)
	}
	products := make([]core.Product, len(rows))
	for i, r := range rows {
		products[i] = r.product()
	}
	return products, nil
}

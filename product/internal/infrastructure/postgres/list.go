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

// order is SQL for the products after a position. Each has an index, and one that begins with
// the difficulty.
type order struct {
	keys  string // the columns of the index
	after string // the condition
	by    string
}

func orderOf(p core.Page, args *arguments) order {
	o := orderOfAll(p, args)
	if p.Difficulty != "" {
		o.after = "difficulty = " + args.add(p.Difficulty) + " AND " + o.after
	}
	return o
}

func orderOfAll(p core.Page, args *arguments) order {
	id := args.add(p.After.ID)
	switch p.Sort {
	case core.SortVotes:
		return order{"id, votes", "(votes, id) < (" + args.add(p.After.Votes) + ", " + id + ")", "votes DESC, id DESC"}
	case core.SortName:
		return order{"id, name", "(name, id) > (" + args.add(p.After.Name) + ", " + id + ")", "name, id"}
	case core.SortNewest:
		after := "(created_at, id) < (" + args.add(p.After.CreatedAt) + ", " + id + ")"
		return order{"id, created_at", after, "created_at DESC, id DESC"}
	default:
		return order{"id", "id > " + id, "id"}
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
	var products []core.Product
	if err := s.db.SelectContext(ctx, &products, query, args...); err != nil {
		return nil, fmt.Errorf("select products: %w", err)
	}
	return products, nil
}

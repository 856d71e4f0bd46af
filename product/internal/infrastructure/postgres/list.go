package postgres

import (
	"context"
	"fmt"

	"craftista/product/internal/core"
)

// Products implements core.Store.
func (s *Store) Products(ctx context.Context, p core.Page) ([]core.Product, error) {
	if p.Query == "" {
		query, args := pageQuery(p)
		return s.selectProducts(ctx, query, args...)
	}
	return s.search(ctx, p)
}

// pageQuery is keyset paging: each order has an index that starts at the
// position and stops at the limit, however deep the page.
func pageQuery(p core.Page) (query string, args []any) {
	o := orderOf(p)
	return selectProduct + `
	 WHERE ` + o.after + `
	 ORDER BY ` + o.by + `
	 LIMIT $3`, append(o.args, p.Limit)
}

// order is SQL for the pieces after a position: the condition, whose arguments
// are $1 and $2, and the order. Each pair has an index.
type order struct {
	after, by string
	args      []any
}

func orderOf(p core.Page) order {
	switch at := p.After; p.Sort {
	case core.SortVotes:
		return order{"(votes, id) < ($1, $2)", "votes DESC, id DESC", []any{at.Votes, at.ID}}
	case core.SortName:
		return order{"(name, id) > ($1, $2)", "name, id", []any{at.Name, at.ID}}
	case core.SortNewest:
		return order{"(created_at, id) < ($1, $2)", "created_at DESC, id DESC", []any{at.CreatedAt, at.ID}}
	default:
		return order{"id > $1 AND $2", "id", []any{at.ID, true}}
	}
}

func (s *Store) selectProducts(ctx context.Context, query string, args ...any) ([]core.Product, error) {
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

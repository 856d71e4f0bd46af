package db

import (
	"context"
	"database/sql"
	"fmt"
	"math"
)

// addVotes gives the pieces after the id of that name a part of the missing votes, as many pieces as make a batch, and
// returns the last one's id, or 0 after the last of all. The usual trigger counts.
func (f *filler) addVotes(ctx context.Context, tx *sql.Tx, after int64) (last, added int64, err error) {
	ids, given, left, err := voted(ctx, tx, after)
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	shares := make([]int64, len(ids))
	for i, id := range ids {
		// At least one, so that every round comes closer to the target.
		share := math.Ceil(popularity(id) / meanPopularity * float64(f.missing()) / float64(left))
		shares[i] = max(0, min(int64(share), f.missing()-added, fillVoters-given[i]))
		added += shares[i]
		if added >= fillBatch*10 {
			ids, given, shares = ids[:i+1], given[:i+1], shares[:i+1]
			break
		}
	}
	return ids[len(ids)-1], added, copyVotes(ctx, tx, ids, given, shares)
}

// voted returns a batch of pieces after that id, how many made-up votes each has, and how many pieces follow in all.
func voted(ctx context.Context, tx *sql.Tx, after int64) (ids, given []int64, left int64, err error) {
	const query = `
		SELECT p.id,
		       (SELECT count(*) FROM product.votes AS v WHERE v.product_id = p.id AND v.person_id >= $2),
		       (SELECT count(*) FROM product.products AS p WHERE p.id > $1)
		  FROM product.products AS p
		 WHERE p.id > $1
		 ORDER BY p.id
		 LIMIT $3`
	rows, err := tx.QueryContext(ctx, query, after, int64(firstVoterID), fillBatch)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("count made-up votes: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, votes int64
		if err := rows.Scan(&id, &votes, &left); err != nil {
			return nil, nil, 0, fmt.Errorf("count made-up votes: %w", err)
		}
		ids, given = append(ids, id), append(given, votes)
	}
	return ids, given, left, rows.Err()
}

package db

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// vocabulary is seed/vocabulary.json: what made-up pieces are made of. In each list the first words are the commonest.
type vocabulary struct {
	Qualities, Subjects, Bases, Techniques, Papers, Places, Uses, Remarks []string

	Syllables struct{ First, Middle, Last []string } // of the names of folders, of which nearly all are rare
}

// addPieces inserts that many new pieces with that many votes among them. A piece is inserted with its count, instead
// of being written again by the trigger that counts; both triggers are back before anybody else can write.
func (f *filler) addPieces(ctx context.Context, tx *sql.Tx, pieces, votes int64) (Amounts, error) {
	// votes first, as those who vote come to them, so that nobody deadlocks.
	const suspend = `
		ALTER TABLE product.votes DISABLE TRIGGER votes_count_added;
		ALTER TABLE product.products DISABLE TRIGGER products_votes_start_at_zero`
	const resume = `
		ALTER TABLE product.products ENABLE TRIGGER products_votes_start_at_zero;
		ALTER TABLE product.votes ENABLE TRIGGER votes_count_added`
	ids, err := newIDs(ctx, tx, pieces)
	if err != nil {
		return Amounts{}, err
	}
	shares := apportion(ids, votes)
	if _, err := tx.ExecContext(ctx, suspend); err != nil {
		return Amounts{}, fmt.Errorf("suspend counting: %w", err)
	}
	n := 0
	columns := []string{"id", "votes", "name", "description", "image_url", "difficulty", "folds", "paper", "created_at", "updated_at"}
	err = copyIn(ctx, tx, "products", columns, func() []any {
		if n == len(ids) {
			return nil
		}
		n++
		return append([]any{ids[n-1], shares[n-1]}, f.words.piece(ids[n-1])...)
	})
	if err != nil {
		return Amounts{}, err
	}
	if err := copyVotes(ctx, tx, ids, make([]int64, len(ids)), shares); err != nil {
		return Amounts{}, err
	}
	if _, err := tx.ExecContext(ctx, resume); err != nil {
		return Amounts{}, fmt.Errorf("resume counting: %w", err)
	}
	return Amounts{Products: pieces, Votes: votes}, nil
}

func newIDs(ctx context.Context, tx *sql.Tx, n int64) ([]int64, error) {
	const query = `SELECT nextval('product.products_id_seq') FROM generate_series(1, $1::bigint)`
	rows, err := tx.QueryContext(ctx, query, n)
	if err != nil {
		return nil, fmt.Errorf("take ids: %w", err)
	}
	defer rows.Close()
	ids := make([]int64, 0, n)
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("take ids: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// piece is the piece of that id, the same every time: name, description, image_url, difficulty, folds, paper,
// created_at, updated_at.
func (v vocabulary) piece(id int64) []any {
	r := rand.New(rand.NewPCG(uint64(id), 1)) //nolint:gosec // the same every time, by intent
	subject := pick(r, v.Subjects)
	folds := 4 + r.IntN(20)*r.IntN(8)
	difficulty := "easy"
	switch {
	case folds > 60:
		difficulty = "advanced"
	case folds > 24:
		difficulty = "intermediate"
	}
	// Before the gallery opened, so that what people add is the newest.
	created := opening().Add(-time.Duration(r.Int64N(int64(10 * 365 * 24 * time.Hour)))).Truncate(time.Second)
	return []any{v.name(r, subject), v.description(r, subject), image(r), difficulty, folds,
		fmt.Sprintf("%d cm square, %s", 10+5*r.IntN(8), pick(r, v.Papers)), created, created}
}

func (v vocabulary) name(r *rand.Rand, subject string) string {
	quality, other := pick(r, v.Qualities), pick(r, v.Qualities)
	name := quality + " " + subject
	switch r.IntN(4) {
	case 0:
		if other != quality {
			name = other + " " + name
		}
	case 1:
		name += " from " + pick(r, v.Places)
	case 2:
		name = subject + " after " + v.folder(r)
	}
	return strings.ToUpper(name[:1]) + name[1:]
}

func (v vocabulary) description(r *rand.Rand, subject string) string {
	technique := pick(r, v.Techniques)
	article := "a "
	if strings.ContainsRune("aeiou", rune(technique[0])) {
		article = "an "
	}
	text := fmt.Sprintf("Folded from %s by %s: %s, then %s%s.", pick(r, v.Papers), v.folder(r), pick(r, v.Bases), article, technique)
	if r.IntN(2) == 0 {
		text += fmt.Sprintf(" The %s was made for %s in %s.", subject, pick(r, v.Uses), pick(r, v.Places))
	}
	if r.IntN(2) == 0 {
		text += " " + pick(r, v.Remarks)
	}
	return text
}

// folder is the name of somebody who folds.
func (v vocabulary) folder(r *rand.Rand) string {
	return pick(r, v.Syllables.First) + pick(r, v.Syllables.Middle) + pick(r, v.Syllables.Last)
}

// pick draws the first of a list far more often than the last.
func pick(r *rand.Rand, list []string) string {
	u := r.Float64()
	return list[int(u*u*u*float64(len(list)))]
}

// image is one of the drawings that the site has.
func image(r *rand.Rand) string {
	slugs := []string{"crane", "butterfly", "fox", "elephant", "jumping-frog", "lotus", "sailboat", "owl", "dragon", "rabbit", "koi", "penguin", "tulip", "swan", "turtle", "whale"}
	return "/static/origami/" + slugs[r.IntN(len(slugs))] + ".svg"
}

// apportion gives each piece a part of the votes that follows from its id, so that few have very many.
func apportion(ids []int64, votes int64) []int64 {
	sums, sum := make([]float64, len(ids)), 0.0
	for i, id := range ids {
		sum += popularity(id)
		sums[i] = sum
	}
	shares, given := make([]int64, len(ids)), int64(0)
	for i := range ids {
		next := int64(sums[i] / sum * float64(votes)) // all of them at the last
		shares[i], given = next-given, next
	}
	return shares
}

// popularity is 1 to 1000 and meanPopularity on average.
func popularity(id int64) float64 {
	r := rand.New(rand.NewPCG(uint64(id), 2)) //nolint:gosec // the same every time, by intent
	return 1 / (r.Float64()*0.999 + 0.001)
}

const meanPopularity = 6.9147 // ln 1000 / 0.999

// admirer is the nth person, from 0, to vote for a piece; among the first fillVoters none comes twice.
func admirer(id, n int64) int64 {
	r := rand.New(rand.NewPCG(uint64(id), 3)) //nolint:gosec // the same every time, by intent
	start, stride := r.Int64N(fillVoters), r.Int64N(fillVoters)|1
	return firstVoterID + (start+n*stride)%fillVoters // an odd stride visits all of a power of two
}

// copyVotes adds shares[i] votes for ids[i], by the voters after the first given[i].
func copyVotes(ctx context.Context, tx *sql.Tx, ids, given, shares []int64) error {
	i, n := 0, int64(0)
	given = slices.Clone(given)
	return copyIn(ctx, tx, "votes", []string{"person_id", "product_id"}, func() []any {
		for i < len(ids) && n == shares[i] {
			i, n = i+1, 0
		}
		if i == len(ids) {
			return nil
		}
		n++
		given[i]++
		return []any{admirer(ids[i], given[i]-1), ids[i]}
	})
}

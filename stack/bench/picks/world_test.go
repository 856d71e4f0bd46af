package picks

import (
	"database/sql"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"
	"time"

	"craftista/db/pgtest"

	"github.com/lib/pq"
)

// How large the generated gallery is, and how its people vote.
const (
	pieces, people = 1200, 4000
	makers, tastes = 120, 40
	years          = 2
	noise          = 0.15 // of the votes go by popularity alone, as a front page makes people vote
	newFor         = 30 * 24 * time.Hour
)

// world is a generated gallery. Pieces are numbered from 0, the oldest first.
type world struct {
	created    []float64 // of each piece, from 0, the opening, to 1, now
	maker      []int
	difficulty []string
	votes      [][]vote // of each person, the oldest first
}

type vote struct {
	piece int
	at    float64
}

// generate draws a world, the same one each time. A piece has the tastes of its maker and some of its own, and a
// popularity that is log-normal. A person mixes two or three tastes, and the mix changes with time, so that newer votes
// tell more; how often they vote is log-normal too. A person may vote for what was there at the time.
func generate() *world {
	r := rand.New(rand.NewPCG(14, 10))
	w := &world{}
	var affinity [][tastes]float64
	var popularity []float64
	for range pieces {
		w.created = append(w.created, max(0, 1.5*r.Float64()-0.5))
	}
	slices.Sort(w.created)
	difficulties := []string{"easy", "intermediate", "advanced"}
	for range pieces {
		maker := int(makers * r.Float64() * r.Float64())
		var a [tastes]float64
		a[maker%tastes] += 0.3 + 0.7*r.Float64()
		a[r.IntN(tastes)] += r.Float64()
		affinity = append(affinity, a)
		popularity = append(popularity, math.Exp(r.NormFloat64()))
		w.maker = append(w.maker, maker)
		w.difficulty = append(w.difficulty, difficulties[max(0, min(2, maker%4+r.IntN(3)-1))])
	}
	for range people {
		joined, from, to := 0.95*r.Float64(), mix(r), mix(r)
		times := make([]float64, int(min(200, max(5, 20*math.Exp(0.9*r.NormFloat64())))))
		for i := range times {
			times[i] = joined + (1-joined)*r.Float64()
		}
		slices.Sort(times)
		w.votes = append(w.votes, w.choose(r, popularity, times, func(i int, at float64) float64 {
			fit := 0.01
			for t, a := range affinity[i] {
				fit += a * a * (from[t]*(1-at) + to[t]*at)
			}
			return fit
		}))
	}
	return w
}

// mix is how much a person likes each taste; two or three of them, in all 1.
func mix(r *rand.Rand) (m [tastes]float64) {
	for rest := 1.0; rest > 0.1; {
		part := min(rest, 0.3+0.4*r.Float64())
		m[r.IntN(tastes)] += part
		rest -= part
	}
	return m
}

// choose draws a piece for each time, none twice, by their popularity and, but for noise, how they fit at that time.
func (w *world) choose(
	r *rand.Rand, popularity, times []float64, fit func(piece int, at float64) float64,
) []vote {
	var votes []vote
	chosen := map[int]bool{}
	for _, at := range times {
		there := sort.SearchFloat64s(w.created, at+1e-9)
		sums := make([]float64, there)
		sum, byTaste := 0.0, r.Float64() >= noise
		for i := range there {
			switch {
			case chosen[i]:
			case byTaste:
				sum += popularity[i] * fit(i, at)
			default:
				sum += popularity[i]
			}
			sums[i] = sum
		}
		if i := sort.SearchFloat64s(sums, sum*r.Float64()); i < there && !chosen[i] {
			chosen[i] = true
			votes = append(votes, vote{i, at})
		}
	}
	return votes
}

// moment is that moment of the gallery in the database.
func moment(at float64) time.Time {
	return time.Now().Add(-time.Duration((1 - at) * years * 365 * 24 * float64(time.Hour))).UTC()
}

// insert writes the world into the database but for the votes that are held out. Piece i has the id i + 1, and so have
// people.
func (w *world) insert(tb testing.TB, adminURL string) {
	tb.Helper()
	db := pgtest.Open(tb, adminURL)
	var created, voted []time.Time
	var person, product []int64
	for _, at := range w.created {
		created = append(created, moment(at))
	}
	for p, votes := range w.votes {
		for _, v := range votes[:len(votes)-1] {
			person, product = append(person, int64(p+1)), append(product, int64(v.piece+1))
			voted = append(voted, moment(v.at))
		}
	}
	exec(tb, db, `
		INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper, maker, created_at)
		OVERRIDING SYSTEM VALUE
		SELECT n, 'Piece ' || n, 'Folded.', '/x.svg', difficulty, 20, '15 cm', 'Maker ' || maker, created_at
		  FROM unnest($1::text[], $2::bigint[], $3::timestamptz[]) WITH ORDINALITY AS p (difficulty, maker, created_at, n)`,
		pq.Array(w.difficulty), pq.Array(w.maker), pq.Array(created))
	exec(tb, db, `
		INSERT INTO product.votes (person_id, product_id, created_at)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[])`,
		pq.Array(person), pq.Array(product), pq.Array(voted))
	exec(tb, db, `VACUUM (ANALYZE)`)
}

func exec(tb testing.TB, db *sql.DB, query string, args ...any) {
	tb.Helper()
	if _, err := db.ExecContext(tb.Context(), query, args...); err != nil {
		tb.Fatal(err)
	}
}

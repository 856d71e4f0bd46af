package postgres

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"craftista/db/pgtest"
	"craftista/product/internal/core"
	"craftista/shared/pg"
	"craftista/shared/telemetry"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"
)

// gallery is a store with so many pieces.
func gallery(t *testing.T, pieces int) (*Store, *pgtest.Database) {
	t.Helper()
	database := pgtest.New(t)
	db, err := pg.Open(database.ProductURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	exec(t, db, fmt.Sprintf(`
		INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
		SELECT 'piece ' || n, 'Flies.', '/crane.svg', 'easy', 1, '15 cm'
		  FROM generate_series(1, %d) AS n`, pieces))
	return NewStore(db), database
}

func exec(t *testing.T, e sqlx.ExecerContext, statement string) {
	t.Helper()
	if _, err := e.ExecContext(t.Context(), statement); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// changed is the counts by id that changed after a moment, in pages of limit.
func changed(t *testing.T, s *Store, after core.Moment, limit int) (map[int64]int64, core.Moment) {
	t.Helper()
	var now core.Moment
	counts, last := map[int64]int64{}, core.Tally{}
	for page := 0; ; page++ {
		tallies, seen, err := s.Changed(t.Context(), after, last, limit)
		if err != nil {
			t.Fatal(err)
		}
		if page == 0 {
			now = seen
		}
		for _, tally := range tallies {
			if _, twice := counts[tally.ID]; twice || after.Saw(tally.Change) || !seen.Saw(tally.Change) {
				t.Errorf("%+v, seen twice %v, between %+v and %+v", tally, twice, after, seen)
			}
			counts[tally.ID] = tally.Votes
		}
		if len(tallies) < limit {
			return counts, now
		}
		last = tallies[len(tallies)-1]
	}
}

func TestChangedIsWhatTheLastLookDidNotSee(t *testing.T) {
	t.Parallel()
	s, _ := gallery(t, 7)
	exec(t, s.db, `INSERT INTO product.votes VALUES (1, 2), (2, 2), (1, 5)`)
	all, now := changed(t, s, core.Since(1), 3)
	if diff := cmp.Diff(all, map[int64]int64{1: 0, 2: 2, 3: 0, 4: 0, 5: 1, 6: 0, 7: 0}); diff != "" {
		t.Errorf("everything (-got +want):\n%s", diff)
	}
	// One begins first and commits last; another rolls back.
	slow, gone := s.db.MustBegin(), s.db.MustBegin()
	exec(t, slow, `INSERT INTO product.votes VALUES (3, 1)`)
	exec(t, gone, `INSERT INTO product.votes VALUES (3, 6)`)
	exec(t, s.db, `DELETE FROM product.votes WHERE product_id = 5`)
	for _, row := range []struct {
		name string
		do   func() error
		want map[int64]int64
	}{
		{"the quick one", func() error { return nil }, map[int64]int64{5: 0}},
		{"nothing again", gone.Rollback, map[int64]int64{}},
		{"the slow one", slow.Commit, map[int64]int64{1: 1}},
		{"nothing more", func() error { return nil }, map[int64]int64{}},
	} {
		if err := row.do(); err != nil {
			t.Fatal(err)
		}
		var got map[int64]int64
		got, now = changed(t, s, now, 3)
		if diff := cmp.Diff(got, row.want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", row.name, diff)
		}
	}
}

func TestChangedOfSome(t *testing.T) {
	t.Parallel()
	s, _ := gallery(t, 5)
	exec(t, s.db, `INSERT INTO product.votes VALUES (1, 2)`)
	tallies, now, err := s.ChangedOf(t.Context(), core.Since(1), []int64{1, 2, 99})
	if err != nil || len(tallies) != 2 || tallies[0].ID != 1 || tallies[1].Votes != 1 {
		t.Errorf("got %+v, %v", tallies, err)
	}
	exec(t, s.db, `INSERT INTO product.votes VALUES (2, 2), (2, 3)`)
	tallies, _, err = s.ChangedOf(t.Context(), now, []int64{1, 2, 99})
	if err != nil || len(tallies) != 1 || tallies[0].Votes != 2 {
		t.Errorf("got %+v, %v", tallies, err)
	}
	tallies, now, err = s.ChangedOf(t.Context(), core.Since(1), []int64{})
	if err != nil || len(tallies) != 0 || now.Floor == 0 {
		t.Errorf("of none: %+v, %+v, %v", tallies, now, err)
	}
}

// TestChangedOfARestoredDump: its numbers are of another server. Everything is
// everything still, and a look without a change finds none.
func TestChangedOfARestoredDump(t *testing.T) {
	t.Parallel()
	s, database := gallery(t, 3)
	admin, err := pg.Open(database.AdminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	exec(t, admin, `UPDATE product.products SET votes_xid = '9000000000000000000' WHERE id > 1`)
	tallies, now, err := s.Changed(t.Context(), core.Since(1), core.Tally{}, 10)
	if err != nil || len(tallies) != 3 {
		t.Errorf("everything: %+v, %v", tallies, err)
	}
	exec(t, s.db, `INSERT INTO product.votes VALUES (1, 2)`)
	if got, _ := changed(t, s, now, 10); !cmp.Equal(got, map[int64]int64{2: 1}) {
		t.Errorf("a change: %v", got)
	}
}

// TestChangedWalksItsIndex: a look costs what changed, not what there is.
func TestChangedWalksItsIndex(t *testing.T) {
	t.Parallel()
	s, database := gallery(t, 5000)
	exec(t, s.db, `INSERT INTO product.votes SELECT 1, n FROM generate_series(1, 100) AS n`)
	admin, err := pg.Open(database.AdminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	exec(t, admin, `ANALYZE product.products`)
	_, now := changed(t, s, core.Since(1), 1000)
	for _, after := range []core.Moment{core.Since(1), now} {
		query, args := changedQuery(after, core.Tally{}, 250)
		var lines []string
		if err := admin.SelectContext(t.Context(), &lines, "EXPLAIN "+query, args...); err != nil {
			t.Fatal(err)
		}
		plan := strings.Join(lines, "\n")
		if !strings.Contains(plan, "products_votes_xid_idx") || !strings.Contains(plan, "Index Cond: ((ROW(votes_xid, id) >") {
			t.Errorf("after %+v:\n%s", after, plan)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]core.Moment{
		"10:20:10,14,15": {Floor: 10, Ceiling: 20, Open: []uint64{10, 14, 15}},
		"3:3:":           {Floor: 3, Ceiling: 3, Open: []uint64{}},
	} {
		m, err := moment(text)
		if diff := cmp.Diff(m, want); diff != "" || err != nil || snapshot(m) != text {
			t.Errorf("%s is %s, %v (-got +want):\n%s", text, snapshot(m), err, diff)
		}
	}
	for _, text := range []string{"", "1", "1:x:", "1:2:3;"} {
		if m, err := moment(text); err == nil {
			t.Errorf("%q is %+v", text, m)
		}
	}
	m := core.Moment{Floor: 10, Ceiling: 20, Open: []uint64{10, 14, 15}}
	var saw []uint64
	for change := range uint64(25) {
		if m.Saw(change) {
			saw = append(saw, change)
		}
	}
	if want := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 16, 17, 18, 19}; !slices.Equal(saw, want) {
		t.Errorf("saw %v, want %v", saw, want)
	}
}

package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

// recorder is a store and a cache that record their calls.
type recorder struct {
	core.Store
	core.NoCache
	calls    []string
	products []core.Product
	err      error
	stale    error // of the cache
}

func (b *recorder) note(format string, args ...any) {
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

func (b *recorder) Product(_ context.Context, id int64) (core.Product, error) {
	b.note("product %d", id)
	return core.Product{ID: id, Votes: 7}, b.err
}

func (b *recorder) Products(_ context.Context, p core.Page) ([]core.Product, error) {
	b.note("products %s limit %d", p.Sort, p.Limit)
	return b.products[:min(p.Limit, len(b.products))], b.err
}

func (b *recorder) Vote(_ context.Context, id int64, people []int64) (int64, error) {
	b.note("vote %v for %d", people, id)
	return 8, b.err
}

func (b *recorder) Unvote(_ context.Context, id int64, people []int64) (int64, error) {
	b.note("unvote %v for %d", people, id)
	return 6, b.err
}

func (b *recorder) VotedFor(_ context.Context, person int64, ids []int64) ([]int64, error) {
	b.note("voted %d for %v", person, ids)
	return ids, b.err
}

func (b *recorder) VotesOf(_ context.Context, person int64, after core.Position, limit int) ([]core.Vote, error) {
	b.note("votes of %d after %d limit %d", person, after.ID, limit)
	return []core.Vote{{ProductID: 3}, {ProductID: 2}, {ProductID: 1}}[:min(limit, 3)], b.err
}

func (b *recorder) Invalidate(_ context.Context, ids ...int64) error {
	b.note("invalidate %d", ids)
	return b.stale
}

func catalogue(b *recorder) *core.Catalogue {
	return core.NewCatalogue(b, b, func(p core.Product) (core.Encoded, error) {
		return core.Encoded{ETag: `"tag"`, Body: fmt.Append(nil, p.ID, " has ", p.Votes)}, nil
	}, untraced{}, func() { b.note("changed") })
}

// TestVotesInvalidateAfterTheCommit: in that order, and not after a failure, which
// would cost readers the cache while the database is unavailable.
func TestVotesInvalidateAfterTheCommit(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name  string
		do    func(*core.Catalogue, context.Context, int64, int64) (int64, error)
		err   error
		votes int64
		lines []string
	}{
		{"vote", (*core.Catalogue).Vote, nil, 8, []string{"vote [1] for 2", "invalidate [2]", "changed"}},
		{"unvote", (*core.Catalogue).Unvote, nil, 6, []string{"unvote [1] for 2", "invalidate [2]", "changed"}},
		{"vote that fails", (*core.Catalogue).Vote, io.EOF, 0, []string{"vote [1] for 2"}},
		{"unvote that fails", (*core.Catalogue).Unvote, io.EOF, 0, []string{"unvote [1] for 2"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := &recorder{err: row.err}
			votes, err := row.do(catalogue(b), t.Context(), 1, 2)
			if votes != row.votes || !errors.Is(err, row.err) {
				t.Errorf("got %d, %v; want %d, %v", votes, err, row.votes, row.err)
			}
			if diff := cmp.Diff(b.calls, row.lines); diff != "" {
				t.Errorf("calls (-got +want):\n%s", diff)
			}
		})
	}
}

func TestListTellsWhetherOthersFollow(t *testing.T) {
	t.Parallel()
	three := []core.Product{{ID: 1}, {ID: 2}, {ID: 3}}
	for _, row := range []struct {
		limit int
		want  []core.Product
		more  bool
	}{{1, three[:1], true}, {2, three[:2], true}, {3, three, false}, {4, three, false}} {
		b := &recorder{products: three}
		got, more, err := catalogue(b).List(t.Context(), core.Page{Sort: core.SortName, Limit: row.limit})
		if diff := cmp.Diff(got, row.want); diff != "" || more != row.more || err != nil {
			t.Errorf("limit %d: more %v, %v (-got +want):\n%s", row.limit, more, err, diff)
		}
	}
	broken := catalogue(&recorder{products: three, err: io.EOF})
	if got, more, err := broken.List(t.Context(), core.Page{Limit: 1}); more || !errors.Is(err, io.EOF) {
		t.Errorf("got %v, %v, %v", got, more, err)
	}
}

func TestVotesOfTellsWhetherOthersFollow(t *testing.T) {
	t.Parallel()
	b := &recorder{}
	for limit, more := range map[int]bool{2: true, 3: false, 4: false} {
		got, others, err := catalogue(b).VotesOf(t.Context(), 9, core.Position{ID: 4}, limit)
		if len(got) != min(limit, 3) || got[0].ProductID != 3 || others != more || err != nil {
			t.Errorf("limit %d: got %v, %v, %v", limit, got, others, err)
		}
		if asked := fmt.Sprintf("votes of 9 after 4 limit %d", limit+1); !slices.Contains(b.calls, asked) {
			t.Errorf("no %q in %q", asked, b.calls)
		}
	}
	at := core.Vote{ProductID: 4, CreatedAt: time.Unix(9, 0)}.At()
	if diff := cmp.Diff(at, core.Position{ID: 4, CreatedAt: time.Unix(9, 0)}); diff != "" {
		t.Errorf("position (-got +want):\n%s", diff)
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	b := &recorder{}
	c := catalogue(b)
	encoded, source, err := c.Encoded(t.Context(), 5)
	if string(encoded.Body) != "5 has 7" || encoded.ETag != `"tag"` || source != core.Bypass || err != nil {
		t.Errorf("got %s, %s, %v", encoded, source, err)
	}
	if n, err := c.Votes(t.Context(), 5); n != 7 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	if ids, err := c.VotedFor(t.Context(), 9, []int64{1, 2}); !slices.Equal(ids, []int64{1, 2}) || err != nil {
		t.Errorf("got %v, %v", ids, err)
	}
	if diff := cmp.Diff(b.calls, []string{"product 5", "product 5", "voted 9 for [1 2]"}); diff != "" {
		t.Errorf("calls (-got +want):\n%s", diff)
	}
	b.err = io.EOF
	if _, _, err := c.Encoded(t.Context(), 5); !errors.Is(err, io.EOF) {
		t.Errorf("error %v", err)
	}
}

func TestPositionHoldsWhatItsOrderGoesBy(t *testing.T) {
	t.Parallel()
	p := core.Product{ID: 4, Name: "Crane", Votes: 3, CreatedAt: time.Unix(9, 0)}
	for sort, want := range map[core.Sort]core.Position{
		core.SortID:     {ID: 4},
		core.SortVotes:  {ID: 4, Votes: 3},
		core.SortName:   {ID: 4, Name: "Crane"},
		core.SortNewest: {ID: 4, CreatedAt: time.Unix(9, 0)},
	} {
		if diff := cmp.Diff(sort.At(p), want); diff != "" || !sort.Known() {
			t.Errorf("%s, known %v (-got +want):\n%s", sort, sort.Known(), diff)
		}
	}
	if core.Sort("votes").Known() || core.Sort("").Known() {
		t.Error("an order that is none is known")
	}
}

// TestUncertainVotesInvalidateToo: the commit may have happened, and then the
// cached count is old.
func TestUncertainVotesInvalidateToo(t *testing.T) {
	t.Parallel()
	b := &recorder{err: fmt.Errorf("%w: %w", core.ErrUncertain, io.ErrUnexpectedEOF)}
	if _, err := catalogue(b).Vote(t.Context(), 3, 5); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got error %v, want the cause", err)
	}
	if diff := cmp.Diff([]string{"vote [3] for 5", "invalidate [5]", "changed"}, b.calls); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// TestChangesThatMayBeHiddenAreNotAcknowledged: a cached product may hide them.
// What the store said of the outcome goes before.
func TestChangesThatMayBeHiddenAreNotAcknowledged(t *testing.T) {
	t.Parallel()
	b := &recorder{stale: io.EOF}
	votes, err := catalogue(b).Vote(t.Context(), 3, 5)
	if votes != 0 || fault.KindOf(err) != fault.Unavailable || !errors.Is(err, io.EOF) {
		t.Errorf("got %d, %v", votes, err)
	}
	b.err = core.ErrUncertain
	if _, err := catalogue(b).Unvote(t.Context(), 3, 5); !errors.Is(err, core.ErrUncertain) {
		t.Errorf("got %v", err)
	}
}

package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	calls []string
	err   error
	stale error // of the cache
}

func (b *recorder) note(format string, args ...any) {
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

func (b *recorder) Vote(_ context.Context, id int64, people []int64) (int64, error) {
	b.note("vote %v for %d", people, id)
	return 8, b.err
}

func (b *recorder) Unvote(_ context.Context, id int64, people []int64) (int64, error) {
	b.note("unvote %v for %d", people, id)
	return 6, b.err
}

func (b *recorder) Invalidate(_ context.Context, ids ...int64) error {
	b.note("invalidate %d", ids)
	return b.stale
}

func catalogue(b *recorder) *core.Catalogue {
	return core.NewCatalogue(b, b, nil, untraced{}, func() { b.note("changed") })
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

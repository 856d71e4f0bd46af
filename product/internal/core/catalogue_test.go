package core_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"craftista/product/internal/core"
	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

// recorder is a store and a cache that record their calls.
type recorder struct {
	core.Store
	core.NoCache
	calls []string
	err   error // of the store
	stale error // of the cache
}

func (b *recorder) note(format string, args ...any) {
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

func (b *recorder) Vote(_ context.Context, productID int64, userIDs []int64) (int64, error) {
	b.note("vote %v for %d", userIDs, productID)
	return 8, b.err
}

func (b *recorder) Unvote(_ context.Context, productID int64, userIDs []int64) (int64, error) {
	b.note("unvote %v for %d", userIDs, productID)
	return 6, b.err
}

func (b *recorder) Add(_ context.Context, userID int64, key string, d core.Draft) (core.Product, error) {
	b.note("add %s for %d by %s", d.Name, userID, key)
	return core.Product{Name: d.Name}, b.err
}

func (b *recorder) Edit(_ context.Context, id int64, versions []int64, d core.Draft) (core.Product, error) {
	b.note("edit %d of %v to %s", id, versions, d.Name)
	return core.Product{ID: id, Name: d.Name}, b.err
}

func (b *recorder) Remove(_ context.Context, id int64, versions []int64) error {
	b.note("remove %d of %v", id, versions)
	return b.err
}

func (b *recorder) HasImage(_ context.Context, name string) (bool, error) {
	b.note("has %.4s", name)
	return true, b.err
}

func (b *recorder) Invalidate(_ context.Context, ids ...int64) error {
	b.note("invalidate %d", ids)
	return b.stale
}

func catalogue(b *recorder) *core.Catalogue {
	return core.NewCatalogue(b, b, nil, untraced, func() { b.note("changed") })
}

func fox() core.Draft {
	return core.Draft{
		Name: "Fox", Description: "Sits.", ImageURL: "/static/origami/fox.svg", Difficulty: "easy", Folds: 9, Paper: "15 cm",
	}
}

// change is one of the changes that a catalogue can make, to product 2.
type change struct {
	name   string
	do     func(context.Context, *core.Catalogue) error
	commit string   // the store's call
	after  []string // the calls after it, if it was made
}

func second[T any](_ T, err error) error { return err }

func changes() []change {
	return []change{
		{"vote", func(ctx context.Context, c *core.Catalogue) error { return second(c.Vote(ctx, 2, 1)) },
			"vote [1] for 2", []string{"invalidate [2]", "changed"}},
		{"unvote", func(ctx context.Context, c *core.Catalogue) error { return second(c.Unvote(ctx, 2, 1)) },
			"unvote [1] for 2", []string{"invalidate [2]", "changed"}},
		{"add", func(ctx context.Context, c *core.Catalogue) error { return second(c.Add(ctx, 5, "k", fox())) },
			"add Fox for 5 by k", nil},
		{"edit", func(ctx context.Context, c *core.Catalogue) error { return second(c.Edit(ctx, 2, []int64{7}, fox())) },
			"edit 2 of [7] to Fox", []string{"invalidate [2]", "changed"}},
		{"remove", func(ctx context.Context, c *core.Catalogue) error { return c.Remove(ctx, 2, nil) },
			"remove 2 of []", []string{"invalidate [2]", "changed"}},
	}
}

// TestChangesInvalidateAfterTheCommit: in that order; not after a failure, which
// would cost readers the cache while the database is unavailable; and also if the
// outcome is uncertain, for the cached product may be old.
func TestChangesInvalidateAfterTheCommit(t *testing.T) {
	t.Parallel()
	for _, change := range changes() {
		for outcome, err := range map[string]error{
			"done": nil, "failed": io.EOF, "uncertain": fmt.Errorf("%w: %w", core.ErrUncertain, io.EOF),
			"refused": fault.New(fault.PreconditionFailed, "read it again"),
		} {
			t.Run(change.name+" "+outcome, func(t *testing.T) {
				t.Parallel()
				b := &recorder{err: err}
				if got := change.do(t.Context(), catalogue(b)); !errors.Is(got, err) {
					t.Errorf("got %v, want %v", got, err)
				}
				want := []string{change.commit}
				if err == nil || errors.Is(err, core.ErrUncertain) {
					want = append(want, change.after...)
				}
				if diff := cmp.Diff(b.calls, want); diff != "" {
					t.Errorf("calls (-got +want):\n%s", diff)
				}
			})
		}
	}
}

// TestChangesThatMayBeHiddenAreNotAcknowledged: a cached product may hide them.
// What the store said of the outcome goes before.
func TestChangesThatMayBeHiddenAreNotAcknowledged(t *testing.T) {
	t.Parallel()
	for _, change := range changes() {
		if change.after == nil {
			continue
		}
		b := &recorder{stale: io.EOF}
		err := change.do(t.Context(), catalogue(b))
		if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %v", change.name, err)
		}
		b.err = core.ErrUncertain
		if err := change.do(t.Context(), catalogue(b)); !errors.Is(err, core.ErrUncertain) {
			t.Errorf("%s of uncertain outcome: got %v", change.name, err)
		}
	}
}

// TestImageThatCannotBeRead: the draft is not kept, and the failure is no fault of it.
func TestImageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b, d := &recorder{err: io.EOF}, fox()
	d.ImageURL = core.ImagePath + strings.Repeat("0", 64) + ".png"
	_, err := catalogue(b).Edit(t.Context(), 1, nil, d)
	if diff := cmp.Diff(b.calls, []string{"has 0000"}); diff != "" || !errors.Is(err, io.EOF) {
		t.Errorf("got %v, calls (-got +want):\n%s", err, diff)
	}
}

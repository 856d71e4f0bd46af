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

func (b *recorder) Add(_ context.Context, person int64, key string, d core.Draft) (core.Product, error) {
	b.note("add %s for %d by %s", d.Name, person, key)
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
	return strings.HasPrefix(name, "0"), b.err
}

func fox() core.Draft {
	return core.Draft{
		Name: "Fox", Description: "Sits.", ImageURL: "/static/origami/fox.svg", Difficulty: "easy", Folds: 9, Paper: "15 cm",
	}
}

// TestEditsInvalidateAfterTheCommit: in that order, not after a refusal, and also if
// nobody knows whether the commit was.
func TestEditsInvalidateAfterTheCommit(t *testing.T) {
	t.Parallel()
	edit := func(c *core.Catalogue) error {
		_, err := c.Edit(t.Context(), 2, []int64{7}, fox())
		return err
	}
	remove := func(c *core.Catalogue) error { return c.Remove(t.Context(), 2, nil) }
	add := func(c *core.Catalogue) error {
		_, err := c.Add(t.Context(), 5, "k", fox())
		return err
	}
	uncertain := fmt.Errorf("%w: %w", core.ErrUncertain, io.EOF)
	stale := fault.New(fault.PreconditionFailed, "read it again")
	for _, row := range []struct {
		name  string
		do    func(*core.Catalogue) error
		err   error
		lines []string
	}{
		{"add", add, nil, []string{"add Fox for 5 by k"}},
		{"edit", edit, nil, []string{"edit 2 of [7] to Fox", "invalidate [2]"}},
		{"edit of another version", edit, stale, []string{"edit 2 of [7] to Fox"}},
		{"edit of uncertain end", edit, uncertain, []string{"edit 2 of [7] to Fox", "invalidate [2]"}},
		{"remove", remove, nil, []string{"remove 2 of []", "invalidate [2]"}},
		{"remove that fails", remove, io.EOF, []string{"remove 2 of []"}},
		{"remove of uncertain end", remove, uncertain, []string{"remove 2 of []", "invalidate [2]"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := &recorder{err: row.err}
			if err := row.do(catalogue(b)); !errors.Is(err, row.err) {
				t.Errorf("got %v, want %v", err, row.err)
			}
			if diff := cmp.Diff(b.calls, row.lines); diff != "" {
				t.Errorf("calls (-got +want):\n%s", diff)
			}
		})
	}
}

// TestBrokenDraftsReachNoStore but to ask for the image, so that all that is
// wrong is told at once.
func TestBrokenDraftsReachNoStore(t *testing.T) {
	t.Parallel()
	image := func(digit string) string { return core.ImagePath + strings.Repeat(digit, 64) + ".png" }
	for _, row := range []struct {
		name   string
		change func(*core.Draft)
		fields []string
		lines  []string
	}{
		{"without a name", func(d *core.Draft) { d.Name = "" }, []string{"name"}, nil},
		{
			"unknown image, no folds", func(d *core.Draft) { d.Folds, d.ImageURL = 0, image("1") },
			[]string{"folds", "image_url"}, []string{"has 1111"},
		},
		{"known image", func(d *core.Draft) { d.ImageURL = image("0") }, nil, []string{"has 0000", "add Fox for 5 by "}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b, d := &recorder{}, fox()
			row.change(&d)
			_, err := catalogue(b).Add(t.Context(), 5, "", d)
			var fields []string
			if f := new(fault.Error); errors.As(err, &f) {
				for _, broken := range f.Fields {
					fields = append(fields, broken.Field)
				}
			}
			if diff := cmp.Diff(fields, row.fields); diff != "" {
				t.Errorf("fields of %v (-got +want):\n%s", err, diff)
			}
			if diff := cmp.Diff(b.calls, row.lines); diff != "" {
				t.Errorf("calls (-got +want):\n%s", diff)
			}
		})
	}
	b, d := &recorder{err: io.EOF}, fox()
	d.ImageURL = image("0")
	if _, err := catalogue(b).Edit(t.Context(), 1, nil, d); !errors.Is(err, io.EOF) {
		t.Errorf("with the store unavailable: %v", err)
	}
}

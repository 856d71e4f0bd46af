package api_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"craftista/recommendation/internal/postgres"

	"github.com/google/go-cmp/cmp"
)

func march(day int) time.Time { return time.Date(2026, time.March, day, 0, 0, 0, 0, time.UTC) }

func TestRecordIsOneChoiceForAllWhoAskAtOnce(t *testing.T) {
	t.Parallel()
	_, stores := replicas(t, 24)
	answers := atOnce(30, func(i int) int64 { return record(t, stores[i%2], march(1)) })
	if want := slices.Repeat(answers[:1], 30); !slices.Equal(answers, want) {
		t.Errorf("answers differ: %d", answers)
	}
}

// Around midnight replicas may choose for two days at once. Neither may choose
// the product that the other one chooses.
func TestRecordIsAnotherProductForTwoDaysChosenAtOnce(t *testing.T) {
	t.Parallel()
	_, stores := replicas(t, 2)
	for day := 1; day < 31; day += 2 {
		answers := atOnce(2, func(i int) int64 { return record(t, stores[i], march(day+i)) })
		if answers[0] == answers[1] {
			t.Fatalf("%d March and the day after show the same product", day)
		}
	}
}

func TestRecordChoosesAllProductsBeforeOneReturns(t *testing.T) {
	t.Parallel()
	_, stores := replicas(t, 5)
	first, second := days(t, stores[0], 1, 5), days(t, stores[1], 6, 5)
	if diff := cmp.Diff(slices.Sorted(slices.Values(first)), []int64{1, 2, 3, 4, 5}); diff != "" {
		t.Errorf("first round (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(second, first); diff != "" {
		t.Errorf("second round (-got +want):\n%s", diff)
	}
}

func TestRecordChoosesAddedProductsOnceAndFirst(t *testing.T) {
	t.Parallel()
	f, stores := replicas(t, 3)
	before := days(t, stores[0], 1, 7) // two rounds and one day of the third
	f.addProducts(t, 2)
	after := days(t, stores[0], 8, 5)
	if diff := cmp.Diff(slices.Sorted(slices.Values(after[:2])), []int64{4, 5}); diff != "" {
		t.Errorf("new products (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(after[2:], []int64{before[1], before[2], before[0]}); diff != "" {
		t.Errorf("the round continues (-got +want):\n%s", diff)
	}
}

// replicas are the stores of two replicas, on a database of n products.
func replicas(t *testing.T, n int) (*fixture, []*postgres.Store) {
	t.Helper()
	f := newFixture(t)
	f.addProducts(t, n)
	return f, []*postgres.Store{f.store(t), f.store(t)}
}

func record(t *testing.T, s *postgres.Store, day time.Time) int64 {
	t.Helper()
	id, err := s.Record(t.Context(), day)
	if err != nil {
		t.Error(err)
	}
	return id
}

// days are the products of n days, chosen one after the other.
func days(t *testing.T, s *postgres.Store, first, n int) []int64 {
	t.Helper()
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = record(t, s, march(first+i))
	}
	return ids
}

// atOnce are the answers of n calls that start together.
func atOnce[T any](n int, call func(i int) T) []T {
	answers, start := make([]T, n), make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			answers[i] = call(i)
		})
	}
	close(start)
	wg.Wait()
	return answers
}

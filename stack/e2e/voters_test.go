package e2e

import (
	"context"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
)

// voters are many people who vote for the first product at once. Each repeats a
// request until it is acknowledged, and then makes the next one.
type voters struct {
	issuer   *tokentest.Issuer
	requests []int // by person: 1 is a vote, 2 a vote taken back, 3 one given again
	urls     atomic.Pointer[[]string]
	finished atomic.Int64 // people whose requests were all acknowledged
	repeated atomic.Int64 // requests that were not acknowledged
}

// firstPerson is more than any seeded id.
const firstPerson = 1_000_000

func newVoters(t *testing.T, people int) *voters {
	t.Helper()
	v := &voters{issuer: tokentest.New(t), requests: make([]int, people)}
	for i := range v.requests {
		v.requests[i] = 1 + rand.IntN(3)
	}
	return v
}

// environ returns the settings of a product service that accepts the tokens of the voters.
func (v *voters) environ(databaseURL string) []string {
	return []string{
		"ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL,
		"JWKS_URL=" + v.issuer.JWKSURL(), "ISSUER=" + v.issuer.URL, "AUDIENCE=" + tokentest.Audience,
	}
}

// setReplicas makes the voters use these replicas from now on.
func (v *voters) setReplicas(replicas ...*process) {
	urls := make([]string, len(replicas))
	for i, r := range replicas {
		urls[i] = r.url + "/api/origamis/1/vote"
	}
	v.urls.Store(&urls)
}

// vote has 64 people at a time vote, and closes done when all have finished.
func (v *voters) vote(t *testing.T, replicas ...*process) (done chan struct{}) {
	t.Helper()
	v.setReplicas(replicas...)
	people := make(chan int, len(v.requests))
	for person := range v.requests {
		people <- person
	}
	close(people)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for person := range people {
				v.voteAs(ctx, client, person)
			}
		})
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		defer cancel()
		all.Wait()
		client.CloseIdleConnections()
	}()
	return done
}

func (v *voters) voteAs(ctx context.Context, client *http.Client, person int) {
	bearer := v.issuer.Mint(int64(firstPerson+person), token.RoleUser)
	for n := range v.requests[person] {
		method := []string{http.MethodPost, http.MethodDelete}[n%2]
		for !v.acknowledged(ctx, client, method, bearer) {
			v.repeated.Add(1)
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	v.finished.Add(1)
}

// acknowledged makes one request to any replica.
func (v *voters) acknowledged(ctx context.Context, client *http.Client, method, bearer string) bool {
	urls := *v.urls.Load()
	r, err := http.NewRequestWithContext(ctx, method, urls[rand.IntN(len(urls))], nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

// await returns once n people have finished.
func (v *voters) await(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); v.finished.Load() < int64(n); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only %d of %d people had their requests acknowledged", v.finished.Load(), n)
		}
	}
}

// check compares what was acknowledged with the rows, and the rows with the
// count.
func (v *voters) check(t *testing.T, adminURL string) {
	t.Helper()
	if got := v.finished.Load(); got != int64(len(v.requests)) {
		t.Errorf("%d of %d people had their requests acknowledged", got, len(v.requests))
	}
	db, err := pg.Open(adminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var rows, want []int64
	if err := db.SelectContext(t.Context(), &rows, `
		SELECT person_id
		  FROM product.votes
		 WHERE product_id = 1
		   AND person_id >= $1
		 ORDER BY person_id`, firstPerson); err != nil {
		t.Fatal(err)
	}
	for person, requests := range v.requests {
		if requests%2 == 1 {
			want = append(want, int64(firstPerson+person))
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the votes of %d people are there, those of %d were acknowledged", len(rows), len(want))
	}
	var drift int
	if err := db.GetContext(t.Context(), &drift, `
		SELECT votes - (SELECT count(*) FROM product.votes WHERE product_id = 1)
		  FROM product.products
		 WHERE id = 1`); err != nil || drift != 0 {
		t.Errorf("the count is off by %d, %v", drift, err)
	}
	t.Logf("%d votes, %d requests repeated", len(rows), v.repeated.Load())
}

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

	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/waittest"
)

// voters are many people who vote for the first product and take their votes
// back. Each repeats a request until it is acknowledged, and then sends the next.
type voters struct {
	issuer  *tokentest.Issuer
	changes []int // by person: 1 is a vote, 2 a vote taken back, 3 one given again
	urls    atomic.Pointer[[]string]
	done    atomic.Int64 // people whose changes were all acknowledged
	refused atomic.Int64 // requests that had to be repeated
}

// firstPerson is more than any seeded id.
const firstPerson = 1_000_000

func newVoters(t *testing.T, people int) *voters {
	t.Helper()
	v := &voters{issuer: tokentest.New(t), changes: make([]int, people)}
	for i := range v.changes {
		v.changes[i] = 1 + rand.IntN(3)
	}
	return v
}

// environ are the settings of a product service that accepts the voters' tokens.
func (v *voters) environ(databaseURL string) []string {
	return []string{
		"ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL,
		"JWKS_URL=" + v.issuer.JWKSURL(), "ISSUER=" + v.issuer.URL, "AUDIENCE=" + tokentest.Audience,
	}
}

// use sends the requests to these replicas from now on.
func (v *voters) use(replicas ...*process) {
	urls := make([]string, len(replicas))
	for i, r := range replicas {
		urls[i] = r.url + "/api/origamis/1/vote"
	}
	v.urls.Store(&urls)
}

// start has 64 people at a time vote, and closes done after the last.
func (v *voters) start(t *testing.T, replicas ...*process) (done chan struct{}) {
	t.Helper()
	v.use(replicas...)
	people := make(chan int, len(v.changes))
	for person := range v.changes {
		people <- person
	}
	close(people)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for person := range people {
				v.vote(t.Context(), client, person)
			}
		})
	}
	done = make(chan struct{})
	go func() {
		defer close(done)
		all.Wait()
		client.CloseIdleConnections()
	}()
	return done
}

// vote sends one person's changes, each until it is acknowledged or ctx is done.
func (v *voters) vote(ctx context.Context, client *http.Client, person int) {
	bearer := v.issuer.Mint(int64(firstPerson+person), token.RoleUser)
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for change := range v.changes[person] {
		method := []string{http.MethodPost, http.MethodDelete}[change%2]
		for !v.acknowledged(ctx, client, method, bearer) {
			v.refused.Add(1)
			select {
			case <-ctx.Done():
				return
			case <-retry.C:
			}
		}
	}
	v.done.Add(1)
}

// acknowledged sends one request to any replica.
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

// await returns once n people are done.
func (v *voters) await(t *testing.T, n int) {
	t.Helper()
	waittest.Until(t, "many people have voted", func() bool { return v.done.Load() >= int64(n) })
}

// check compares what was acknowledged with the rows, and the rows with the count.
func (v *voters) check(t *testing.T, adminURL string) {
	t.Helper()
	if got := v.done.Load(); got != int64(len(v.changes)) {
		t.Errorf("%d of %d people had their votes acknowledged", got, len(v.changes))
	}
	const voted = `SELECT person_id FROM product.votes WHERE product_id = 1 AND person_id >= $1 ORDER BY person_id`
	const drift = `SELECT votes - (SELECT count(*) FROM product.votes WHERE product_id = 1)
		FROM product.products WHERE id = 1`
	db := openDatabase(t, adminURL)
	var rows, want []int64
	if err := db.SelectContext(t.Context(), &rows, voted, firstPerson); err != nil {
		t.Fatal(err)
	}
	for person, changes := range v.changes {
		if changes%2 == 1 {
			want = append(want, int64(firstPerson+person))
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("%d people have a vote in the table, %d were acknowledged", len(rows), len(want))
	}
	var off int
	if err := db.GetContext(t.Context(), &off, drift); err != nil || off != 0 {
		t.Errorf("the count is off by %d, %v", off, err)
	}
	t.Logf("%d votes, %d requests repeated", len(rows), v.refused.Load())
}

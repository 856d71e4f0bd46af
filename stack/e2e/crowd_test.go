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

// crowd is many people who change their minds about the first piece. Each
// repeats a wish until it is acknowledged, and then has the next one.
type crowd struct {
	issuer  *tokentest.Issuer
	wishes  []int // by person: 1 is a vote, 2 a vote taken back, 3 one given again
	urls    atomic.Pointer[[]string]
	content atomic.Int64 // people whose wishes were all acknowledged
	refused atomic.Int64 // wishes that had to be repeated
}

// firstPerson is more than any seeded id.
const firstPerson = 1_000_000

func newCrowd(t *testing.T, people int) *crowd {
	t.Helper()
	c := &crowd{issuer: tokentest.New(t), wishes: make([]int, people)}
	for i := range c.wishes {
		c.wishes[i] = 1 + rand.IntN(3)
	}
	return c
}

// environ are the settings of a product service that believes the crowd.
func (c *crowd) environ(databaseURL string) []string {
	return []string{
		"ADDR=127.0.0.1:0", "DATABASE_URL=" + databaseURL,
		"JWKS_URL=" + c.issuer.JWKSURL(), "ISSUER=" + c.issuer.URL, "AUDIENCE=" + tokentest.Audience,
	}
}

// use has the crowd use these replicas from now on.
func (c *crowd) use(replicas ...*process) {
	urls := make([]string, len(replicas))
	for i, r := range replicas {
		urls[i] = r.url + "/api/origamis/1/vote"
	}
	c.urls.Store(&urls)
}

// vote has 64 people at a time vote, and closes done when all are content.
func (c *crowd) vote(t *testing.T, replicas ...*process) (done chan struct{}) {
	t.Helper()
	c.use(replicas...)
	people := make(chan int, len(c.wishes))
	for person := range c.wishes {
		people <- person
	}
	close(people)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	var all sync.WaitGroup
	for range 64 {
		all.Go(func() {
			for person := range people {
				c.makeUpMind(ctx, client, person)
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

func (c *crowd) makeUpMind(ctx context.Context, client *http.Client, person int) {
	bearer := c.issuer.Mint(int64(firstPerson+person), token.RoleUser)
	for wish := range c.wishes[person] {
		method := []string{http.MethodPost, http.MethodDelete}[wish%2]
		for !c.acknowledged(ctx, client, method, bearer) {
			c.refused.Add(1)
			select {
			case <-ctx.Done():
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	c.content.Add(1)
}

// acknowledged makes one wish at any replica.
func (c *crowd) acknowledged(ctx context.Context, client *http.Client, method, bearer string) bool {
	urls := *c.urls.Load()
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

// await returns once n people are content.
func (c *crowd) await(t *testing.T, n int) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); c.content.Load() < int64(n); <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("only %d of %d people had their wishes acknowledged", c.content.Load(), n)
		}
	}
}

// check compares what was acknowledged with the rows, and the rows with the
// count.
func (c *crowd) check(t *testing.T, adminURL string) {
	t.Helper()
	if got := c.content.Load(); got != int64(len(c.wishes)) {
		t.Errorf("%d of %d people had their wishes acknowledged", got, len(c.wishes))
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
	for person, wishes := range c.wishes {
		if wishes%2 == 1 {
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
	t.Logf("%d votes, %d wishes repeated", len(rows), c.refused.Load())
}

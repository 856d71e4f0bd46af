package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"craftista/db"
	"craftista/db/embedded"
	"craftista/product"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/web"

	"github.com/golang-jwt/jwt/v5"
	"github.com/jmoiron/sqlx"
)

// BenchmarkHotProduct is people voting for one product through the product service,
// many at once and one after the other, against the plain way: the same router,
// tokens, pool and schema, and one transaction per vote. PostgreSQL waits for the
// disk, as in real life.
func BenchmarkHotProduct(b *testing.B) {
	admin, role := durable(b)
	issuer := tokentest.New(b)
	ours, plain := serveProduct(b, role, issuer), servePlain(b, role, issuer)
	for _, clients := range []int{64, 1} {
		b.Run(fmt.Sprint(clients, "-clients"), func(b *testing.B) {
			compareVotes(b, admin, issuer, ours, plain, clients)
		})
	}
}

// compareVotes has clients vote, each for 32 people one after the other, at
// either URL in turns.
func compareVotes(b *testing.B, admin *sqlx.DB, issuer *tokentest.Issuer, ours, plain string, clients int) {
	b.Helper()
	bearers := make([]string, 32*clients)
	for i := range bearers {
		bearers[i] = issuer.MintWith(int64(1_000_000+i), token.RoleUser, func(_ *jwt.Token, c *token.Claims) {
			c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(time.Hour))
		})
	}
	turn := func(url string) time.Duration {
		start := time.Now()
		voteAll(b, url+"/api/origamis/1/vote", bearers, clients)
		took := time.Since(start)
		takeBack(b, admin, int64(len(bearers)))
		return took
	}
	turn(plain) // both dial
	turn(ours)
	var oursTook, plainTook time.Duration
	n := 0
	for b.Loop() {
		plainTook += turn(plain)
		oursTook += turn(ours)
		n += len(bearers)
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(float64(n)/oursTook.Seconds(), "votes/s")
	b.ReportMetric(float64(n)/plainTook.Seconds(), "plain-votes/s")
	b.ReportMetric(plainTook.Seconds()/oursTook.Seconds(), "times-plain")
}

// durable starts a seeded PostgreSQL whose commits wait for the disk, and gives
// it to the superuser and to the product service.
func durable(b *testing.B) (admin *sqlx.DB, role string) {
	b.Helper()
	base, err := embedded.DefaultDir() // on a disk, where /tmp may be memory
	if err != nil {
		b.Fatal(err)
	}
	dir := filepath.Join(base, "bench")
	server, err := embedded.Start(b.Context(), embedded.Config{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := errors.Join(server.Stop(context.WithoutCancel(b.Context())), os.RemoveAll(dir)); err != nil {
			b.Error(err)
		}
	})
	const password = "bench-product"
	passwords := db.Passwords{Auth: "bench-auth", Product: password, Recommendation: "bench-recommendation"}
	if err := db.Up(b.Context(), server.URL(), passwords); err != nil {
		b.Fatal(err)
	}
	if err := db.Seed(b.Context(), server.URL()); err != nil {
		b.Fatal(err)
	}
	if role, err = db.RoleURL(server.URL(), db.ProductRole, password); err != nil {
		b.Fatal(err)
	}
	if admin, err = pg.Open(server.URL(), telemetry.Discard()); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = admin.Close() })
	takeBack(b, admin, -1) // what an interrupted run did not undo
	for _, setting := range []string{"fsync", "synchronous_commit"} {
		var value string
		if err := admin.GetContext(b.Context(), &value, "SHOW "+setting); err != nil || value != "on" {
			b.Fatalf("%s is %q, %v", setting, value, err)
		}
	}
	return admin, role
}

// takeBack undoes a turn, which made so many votes, and tidies the tables; -1 is
// any number.
func takeBack(b *testing.B, admin *sqlx.DB, want int64) {
	b.Helper()
	gone, err := admin.ExecContext(b.Context(), `DELETE FROM product.votes WHERE person_id >= 1000000`)
	if err != nil {
		b.Fatal(err)
	}
	if n, err := gone.RowsAffected(); err != nil || want >= 0 && n != want {
		b.Fatalf("%d votes were made, want %d, %v", n, want, err)
	}
	if _, err := admin.ExecContext(b.Context(), `VACUUM product.votes, product.products`); err != nil {
		b.Fatal(err)
	}
}

// serveProduct runs the product service, without a cache.
func serveProduct(b *testing.B, role string, issuer *tokentest.Issuer) (url string) {
	b.Helper()
	c := product.Default()
	c.Listener, c.Log, c.DatabaseURL = listen(b), slog.DiscardHandler, role
	c.JWKSURL, c.Issuer, c.Audience = issuer.JWKSURL(), issuer.URL, tokentest.Audience
	serve(b, func(ctx context.Context) error { return product.Run(ctx, c) })
	return "http://" + c.Listener.Addr().String()
}

// servePlain serves votes alone, each in a transaction of its own.
func servePlain(b *testing.B, role string, issuer *tokentest.Issuer) (url string) {
	b.Helper()
	t := telemetry.Discard()
	votes, err := pg.Open(role, t)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = votes.Close() })
	router := web.NewRouter(t, web.Problem)
	vote := func(w http.ResponseWriter, r *http.Request) error {
		id, err := web.PathID(r)
		if err != nil {
			return err
		}
		n, err := votePlainly(r.Context(), votes, token.UserFrom(r.Context()).ID, id)
		if err != nil {
			return err
		}
		reply := map[string]any{"origami_id": id, "new_vote_count": n, "message": "vote recorded", "voted": true}
		return web.Reply(w, http.StatusOK, reply)
	}
	router.Post("/api/origamis/{id}/vote", token.RequireScope(issuer.Verifier(), vote, token.ScopeVote))
	server := httptest.NewServer(router)
	b.Cleanup(server.Close)
	return server.URL
}

func votePlainly(ctx context.Context, votes *sqlx.DB, person, id int64) (n int64, err error) {
	const vote = `
		INSERT INTO product.votes (person_id, product_id)
		VALUES ($1, $2)
		ON CONFLICT (person_id, product_id) DO NOTHING`
	const count = `
		SELECT votes
		  FROM product.products
		 WHERE id = $1`
	err = pg.InTx(ctx, votes, func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, vote, person, id); err != nil {
			return err
		}
		return tx.GetContext(ctx, &n, count, id)
	})
	return n, err
}

// voteAll has every bearer vote once, clients at a time.
func voteAll(b *testing.B, url string, bearers []string, clients int) {
	b.Helper()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: clients}}
	defer client.CloseIdleConnections()
	next := make(chan string, len(bearers))
	for _, bearer := range bearers {
		next <- bearer
	}
	close(next)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for bearer := range next {
				if err := vote(b.Context(), client, url, bearer); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
}

func vote(ctx context.Context, client *http.Client, url, bearer string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if _, err := io.Copy(io.Discard, res.Body); err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s: %w", url, res.Status, err)
	}
	return nil
}

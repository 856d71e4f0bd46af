package e2e

import (
	"context"
	"net/http"
	"testing"
	"time"

	"craftista/db"
	"craftista/db/embedded"
	"craftista/db/pgtest"
	"craftista/shared/netfault"
)

// TestCountsAreExact has ten thousand people vote for one product and take votes
// back through two replicas, which are killed and started again meanwhile.
func TestCountsAreExact(t *testing.T) {
	t.Parallel()
	const people, kills = 10_000, 6
	binary := build(t, "craftista/product/cmd/product")
	database := pgtest.NewSeeded(t)
	v := newVoters(t, people)
	start := func() *process { return run(t, binary, v.environ(database.ProductURL)...) }
	replicas := []*process{start(), start()}
	done := v.start(t, replicas...)
	for kill := range kills {
		v.await(t, (kill+1)*people/(kills+1))
		replicas[kill%2].kill(t)
		replicas[kill%2] = start()
		v.use(replicas...)
	}
	<-done
	v.check(t, database.AdminURL)
}

// TestDatabaseRestarts stops PostgreSQL once and kills it twice while people vote.
// The service is not restarted, and no vote is lost or made twice.
func TestDatabaseRestarts(t *testing.T) {
	t.Parallel()
	const people = 2_000
	binary := build(t, "craftista/product/cmd/product")
	dir := openFolder(t)
	server := startPostgres(t, dir)
	passwords := pgtest.Passwords()
	if err := db.Up(t.Context(), server.URL(), passwords); err != nil {
		t.Fatal(err)
	}
	if err := db.Seed(t.Context(), server.URL()); err != nil {
		t.Fatal(err)
	}
	proxy := netfault.New(server.URL()) // has one address, while each server starts on any port
	t.Cleanup(proxy.Close)
	role, err := db.RoleURL(proxy.URL(server.URL()), db.ProductRole, passwords.Product)
	if err != nil {
		t.Fatal(err)
	}
	v := newVoters(t, people)
	replica := run(t, binary, v.environ(role)...)
	done := v.start(t, replica)
	for i, grace := range []time.Duration{time.Minute, 0, 0} { // 0 kills
		v.await(t, (i+1)*people/4)
		ctx, cancel := context.WithTimeout(t.Context(), grace)
		_ = server.Stop(ctx)
		cancel()
		proxy.Cut()
		if got := do(t, http.DefaultClient, get(t, replica.url+"/readyz")); got.Status != 503 {
			t.Errorf("readyz without PostgreSQL: %d", got.Status)
		}
		server = startPostgres(t, dir)
		proxy.SetTarget(server.URL())
		proxy.Restore()
	}
	<-done
	v.check(t, server.URL())
	if v.refused.Load() == 0 {
		t.Error("no request was refused while PostgreSQL was unavailable")
	}
}

// startPostgres starts a PostgreSQL with its data in dir that ends with the test.
func startPostgres(t *testing.T, dir string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(t.Context(), embedded.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop(context.WithoutCancel(t.Context())) })
	return s
}

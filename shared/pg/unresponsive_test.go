package pg_test

import (
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/fault"
	"craftista/shared/netfault"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// TestSilentServerIsAway is a database whose machine hangs: it accepts, and says
// nothing any more.
func TestSilentServerIsAway(t *testing.T) {
	t.Parallel()
	url := pgtest.New(t).AdminURL
	proxy := netfault.New(url)
	t.Cleanup(proxy.Close)
	db, err := pg.Open(proxy.URL(url), telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}
	proxy.Block()
	for _, when := range []string{"in the middle of a query", "in the handshake"} {
		start := time.Now()
		var one int
		err := db.GetContext(t.Context(), &one, `SELECT 1`)
		if web.FaultOf(err).Kind != fault.Unavailable {
			t.Errorf("%s: got %v after %v, want Unavailable", when, err, time.Since(start))
		}
	}
}

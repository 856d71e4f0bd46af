package product_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
)

// TestReadersWhoDisconnect while PostgreSQL runs their query are no failures: each is one line of the log, at level
// Info.
func TestReadersWhoDisconnect(t *testing.T) {
	t.Parallel()
	const readers = 10
	type line struct {
		Level, Msg, Error string
		Status            int
	}
	site, logged := newSite(t, 1), make(chan line, 100)
	site.config.Log = slog.NewJSONHandler(writer(func(text []byte) {
		var l line
		if err := json.Unmarshal(text, &l); err != nil {
			t.Error(err)
		}
		logged <- l
	}), nil)
	url, _ := run(t, site.config)
	admin, err := pg.Open(site.adminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = admin.Close() }()
	tx := admin.MustBeginTx(t.Context(), nil)
	tx.MustExecContext(t.Context(), `LOCK TABLE product.products`)

	ctx, disconnect := context.WithCancel(t.Context())
	ended := make(chan error, readers)
	for range readers {
		go func() {
			r, err := http.NewRequestWithContext(ctx, "GET", url+"/api/products", nil)
			if err == nil {
				_, err = http.DefaultClient.Do(r)
			}
			ended <- err
		}()
	}
	const waiting = `
		SELECT count(*)
		  FROM pg_stat_activity
		 WHERE datname = current_database()
		   AND wait_event_type = 'Lock'`
	for n := 0; n < readers; {
		if err := admin.GetContext(t.Context(), &n, waiting); err != nil {
			t.Fatal(err)
		}
	}
	disconnect()
	for range readers {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a reader got %v", err)
		}
	}
	for n := 0; n < readers; {
		l := <-logged
		if l.Msg != "request" {
			continue
		}
		if n++; l.Level != "INFO" || l.Status != 499 || l.Error == "" {
			t.Errorf("logged %+v", l)
		}
	}
}

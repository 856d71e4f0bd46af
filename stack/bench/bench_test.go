// Package bench measures requests through the running services against bare
// handlers that send the same bytes, taking turns in the same run.
package bench

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/stack/internal/stacktest"
)

// BenchmarkProduct is a piece by its id from the cache, over HTTP.
func BenchmarkProduct(b *testing.B) {
	compare(b, stacktest.Start(b, nil).URLs["product"]+"/api/products/1")
}

// BenchmarkGallery is the front page as a visitor sees it who is not signed in:
// three calls to services, then some 40 KB of HTML.
func BenchmarkGallery(b *testing.B) {
	compare(b, stacktest.Start(b, nil).URLs["frontend"]+"/")
}

// compare reports how many requests one client, one after the other, has
// answered in a second, and which part that is of a bare handler's.
func compare(b *testing.B, url string) {
	b.Helper()
	body := fetch(b, url)
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(body) // a client that hung up fails the benchmark itself
	}))
	b.Cleanup(bare.Close)
	var ours, theirs time.Duration
	n := 0
	for b.Loop() {
		start := time.Now()
		fetch(b, url)
		turn := time.Now()
		fetch(b, bare.URL)
		ours, theirs = ours+turn.Sub(start), theirs+time.Since(turn)
		n++
	}
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(float64(n)/ours.Seconds(), "req/s")
	b.ReportMetric(float64(n)/theirs.Seconds(), "bare-req/s")
	b.ReportMetric(theirs.Seconds()/ours.Seconds(), "of-bare")
}

func fetch(b *testing.B, url string) []byte {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, url, nil)
	if err != nil {
		b.Fatal(err)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		b.Fatal(fmt.Errorf("%s answers %s: %w", url, res.Status, err))
	}
	return body
}

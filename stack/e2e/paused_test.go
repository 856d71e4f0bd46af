package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"craftista/db/pgtest"
)

// TestTheGalleryStandsWhileAServiceIsPaused stops the process of each service in
// turn: it accepts connections and says nothing. The person's session is renewed
// with each request. The gallery is there within a second, or three on a busy
// machine, and whole again soon after the process goes on.
func TestTheGalleryStandsWhileAServiceIsPaused(t *testing.T) {
	t.Parallel()
	const within, whole = 3 * time.Second, `id="pieces"|See it up close|pick-list|Sign out`
	database := pgtest.NewSeeded(t)
	const issuer, key = "ISSUER=https://auth.example", "INTERNAL_API_KEY=9d3f0c7a5be84612a1f7c3d96e20b458"
	auth := run(t, build(t, "craftista/auth/cmd/auth"), "ADDR=127.0.0.1:0", "DATABASE_URL="+database.AuthURL, issuer, key,
		"KEY_DIR="+filepath.Join(t.TempDir(), "keys"), "BCRYPT_COST=4", "ACCESS_TOKEN_TTL=20s")
	jwks := "JWKS_URL=" + auth.url + "/.well-known/jwks.json"
	product := run(t, build(t, "craftista/product/cmd/product"), "ADDR=127.0.0.1:0", "DATABASE_URL="+database.ProductURL, issuer, jwks)
	recommendation := run(t, build(t, "craftista/recommendation/cmd/recommendation"), "ADDR=127.0.0.1:0", "DATABASE_URL="+database.RecommendationURL, issuer, jwks)
	front := run(t, build(t, "craftista/frontend/cmd/frontend"), "ADDR=127.0.0.1:0", issuer, key,
		"AUTH_URL="+auth.url, "PRODUCT_URL="+product.url, "RECOMMENDATION_URL="+recommendation.url).url
	person := browse(t, front)
	expectWhole(t, person, front, whole)
	for _, row := range []struct {
		name  string
		of    *process
		shows string
	}{
		{"product", product, "The shelves are out of sight|See it up close|pick-list|Sign out"},
		{"recommendation", recommendation, `id="pieces"|Today’s piece is away|No picks just now|Sign out`},
		{"auth", auth, `id="pieces"|See it up close`},
	} {
		row.of.signal(t, syscall.SIGSTOP)
		told := 0 // visits that said what is missing; at first a page may show what visitors share
		for end := time.Now().Add(10 * time.Second); told < 4 && time.Now().Before(end); <-time.After(50 * time.Millisecond) {
			start := time.Now()
			page := do(t, person, get(t, front+"/"))
			if took := time.Since(start); took > within || page.Status != http.StatusOK {
				t.Errorf("without %s: %d after %s", row.name, page.Status, took)
			}
			if lacks(page.Body, row.shows) == "" {
				told++
			}
		}
		if told < 4 {
			t.Errorf("without %s the gallery does not say so", row.name)
		}
		row.of.signal(t, syscall.SIGCONT)
		expectWhole(t, person, front, whole)
	}
}

// expectWhole asks until the gallery lacks nothing, for at most 10 s.
func expectWhole(t *testing.T, person *http.Client, front, whole string) {
	t.Helper()
	missing := ""
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		if missing = lacks(do(t, person, get(t, front+"/")).Body, whole); missing == "" {
			return
		}
	}
	t.Fatalf("the gallery lacks %q", missing)
}

// lacks is the first of the texts between bars that is not in body.
func lacks(body, texts string) string {
	for text := range strings.SplitSeq(texts, "|") {
		if !strings.Contains(body, text) {
			return text
		}
	}
	return ""
}

func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

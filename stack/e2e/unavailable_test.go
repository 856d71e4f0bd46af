package e2e

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"craftista/db/pgtest"
	"craftista/shared/waittest"
	"craftista/stack/internal/stacktest"
)

// TestGalleryWithAnUnresponsiveService stops the process of each service in turn:
// it accepts connections and answers nothing. The person's session is refreshed
// with each request. The gallery is there all the same, and whole again once the
// process continues.
func TestGalleryWithAnUnresponsiveService(t *testing.T) {
	t.Parallel()
	const whole = `id="pieces"|View piece|pick-list|Sign out`
	auth, product, recommendation, front := startProcesses(t, "PAGE_TIMEOUT=5s") // which it waits for what is stopped
	client := signUp(t, front.url)
	visit := func() string {
		page := do(t, client, get(t, front.url+"/"))
		if page.Status != http.StatusOK {
			t.Errorf("the gallery answers %d", page.Status)
		}
		return page.Body
	}
	isWhole := func() bool { return missing(visit(), whole) == "" }
	waittest.Until(t, "the gallery is whole", isWhole)
	for _, row := range []struct {
		name  string
		of    *process
		shows string
	}{
		{"product", product, "The gallery is not available|View piece|pick-list|Sign out"},
		{"recommendation", recommendation,
			`id="pieces"|Today’s piece is not available|Recommendations are not available|Sign out`},
		{"auth", auth, `id="pieces"|View piece`},
	} {
		row.of.signal(t, syscall.SIGSTOP)
		told := 0 // visits that said what is missing; at first a page may be from a cache
		waittest.Until(t, "the gallery says four times that it lacks "+row.name, func() bool {
			if missing(visit(), row.shows) == "" {
				told++
			}
			return told >= 4
		})
		row.of.signal(t, syscall.SIGCONT)
		waittest.Until(t, "the gallery is whole with "+row.name, isWhole)
	}
}

// startProcesses starts each service as a process of its own, with environ besides.
func startProcesses(t *testing.T, environ ...string) (auth, product, recommendation, front *process) {
	t.Helper()
	const addr, issuer = "ADDR=127.0.0.1:0", "ISSUER=https://auth.example"
	const key = "INTERNAL_API_KEY=9d3f0c7a5be84612a1f7c3d96e20b458"
	database := pgtest.NewSeeded(t)
	stacktest.CheapenPasswords(t, openDatabase(t, database.AdminURL))
	start := func(name, databaseURL string, own ...string) *process {
		own = append(own, addr, issuer, "DATABASE_URL="+databaseURL)
		return run(t, build(t, "craftista/"+name+"/cmd/"+name), append(own, environ...)...)
	}
	auth = start("auth", database.AuthURL, key, "KEYS_SECRET=7b1c94e0d2f35a680b6fd7c11eacf0a9",
		"BCRYPT_COST=4", "ACCESS_TOKEN_TTL=20s")
	jwks := "JWKS_URL=" + auth.url + "/.well-known/jwks.json"
	product = start("product", database.ProductURL, jwks)
	recommendation = start("recommendation", database.RecommendationURL, jwks)
	front = start("frontend", "", key, "PAGE_TIMEOUT=1m", // a busy test machine needs some
		"AUTH_URL="+auth.url, "PRODUCT_URL="+product.url, "RECOMMENDATION_URL="+recommendation.url)
	return auth, product, recommendation, front
}

// missing is the first of the texts between bars that is not in body.
func missing(body, texts string) string {
	for text := range strings.SplitSeq(texts, "|") {
		if !strings.Contains(body, text) {
			return text
		}
	}
	return ""
}

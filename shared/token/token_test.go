package token_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/web"

	"github.com/golang-jwt/jwt/v5"
)

func TestVerifyGoodToken(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	got, err := issuer.Verifier().Verify(t.Context(), issuer.Mint(7, token.RoleCurator))
	if err != nil {
		t.Fatal(err)
	}
	if got.ID != 7 || got.Name != "person-7" || got.Role != token.RoleCurator || got.Expires.IsZero() {
		t.Errorf("got %+v", got)
	}
}

func TestVerifyRefusesBadTokens(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	verifier := issuer.Verifier()
	for _, bad := range issuer.Bads() {
		t.Run(bad.Name, func(t *testing.T) {
			t.Parallel()
			got, err := verifier.Verify(t.Context(), bad.Token)
			if fault.KindOf(err) != fault.Unauthenticated || web.FaultOf(err).Code != "invalid_token" {
				t.Errorf("got %+v, %v; want invalid_token", got, err)
			}
		})
	}
}

func TestRequireAndOptional(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	verifier := issuer.Verifier()
	router := web.NewRouter(telemetry.Discard(), web.Problem)
	who := func(w http.ResponseWriter, r *http.Request) error {
		return web.Reply(w, 200, token.UserFrom(r.Context()).ID)
	}
	router.Get("/required", token.Require(verifier, who))
	router.Get("/optional", token.Optional(verifier, who))
	router.Get("/edited", token.RequireRole(verifier, who, token.RoleCurator, token.RoleAdmin))
	router.Get("/scoped", token.RequireScope(verifier, who, token.ScopeVote))
	good := issuer.Mint(7, token.RoleUser)
	app := func(scope, client string) string {
		return "Bearer " + issuer.MintWith(7, token.RoleAdmin, func(_ *jwt.Token, c *token.Claims) {
			c.Scope, c.ClientID = scope, client
		})
	}
	challenges := map[string]string{ // RFC 6750 section 3.1
		"this needs a bearer token":         "Bearer",
		"only bearer tokens are known here": "Bearer",
		"the token is not valid":            `Bearer error="invalid_token"`,
		"the token names no client":         `Bearer error="invalid_token"`,
		"this needs the scope votes:write":  `Bearer error="insufficient_scope", scope="votes:write"`,
		"this is not for applications":      `Bearer error="insufficient_scope"`,
	}
	for _, row := range []struct {
		path, authorization string
		status              int
		body                string
	}{
		{"/required", "Bearer " + good, 200, "7"},
		{"/required", "bearer  " + good, 200, "7"},
		{"/required", "", 401, "this needs a bearer token"},
		{"/required", "Basic dTpw", 401, "only bearer tokens are known here"},
		{"/required", "Bearer x", 401, "the token is not valid"},
		{"/required", "Bearer", 401, "the token is not valid"},
		{"/optional", "Bearer " + good, 200, "7"},
		{"/optional", "", 200, "0"},
		{"/optional", "Bearer x", 401, "the token is not valid"},
		{"/edited", "Bearer " + issuer.Mint(8, token.RoleCurator), 200, "8"},
		{"/edited", "Bearer " + issuer.Mint(9, token.RoleAdmin), 200, "9"},
		{"/edited", "Bearer " + good, 403, "this needs the role curator or admin"},
		{"/edited", "", 401, "this needs a bearer token"},
		{"/edited", "Bearer x", 401, "the token is not valid"},
		{"/scoped", "Bearer " + good, 200, "7"},
		{"/scoped", app("openid votes:write", "client-a"), 200, "7"},
		{"/scoped", app("openid votes:writes", "client-a"), 403, "this needs the scope votes:write"},
		{"/scoped", app("", "client-a"), 403, "this needs the scope votes:write"},
		{"/scoped", app("votes:write", ""), 401, "the token names no client"},
		{"/required", app("votes:write", "client-a"), 403, "this is not for applications"},
		{"/required", app("", "client-a"), 403, "this is not for applications"},
		{"/optional", app("votes:write", "client-a"), 403, "this is not for applications"},
		{"/edited", app("votes:write", "client-a"), 403, "this is not for applications"},
	} {
		r := httptest.NewRequest("GET", row.path, nil)
		if row.authorization != "" {
			r.Header.Set("Authorization", row.authorization)
		}
		res := httptest.NewRecorder()
		router.ServeHTTP(res, r)
		if res.Code != row.status || !strings.Contains(res.Body.String(), row.body) {
			t.Errorf("%s %.20q: %d %s, want %d %s", row.path, row.authorization, res.Code, res.Body, row.status, row.body)
		}
		if got, want := res.Header().Get("WWW-Authenticate"), challenges[row.body]; got != want {
			t.Errorf("%s %.20q: WWW-Authenticate %q, want %q", row.path, row.authorization, got, want)
		}
	}
}

// FuzzVerify cuts a good token anywhere and puts anything there; the whole may go.
// Nothing but the good token itself, bit for bit, may pass.
func FuzzVerify(f *testing.F) {
	issuer := tokentest.New(f)
	verifier := issuer.Verifier()
	good := issuer.MintWith(7, token.RoleUser, func(_ *jwt.Token, c *token.Claims) {
		c.ExpiresAt = jwt.NewNumericDate(time.Now().Add(24 * time.Hour))
	})
	end := uint(len(good))
	dot := uint(strings.IndexByte(good, '.'))
	f.Add(end, end, "")       // the good one
	f.Add(end-4, end-4, "\n") // base64 readers pass over it
	f.Add(dot+8, dot+8, "\r\n")
	f.Add(end-1, end, "_") // bits that a byte does not need
	f.Add(end, end, "=")
	f.Add(end, end, ".")
	f.Add(end, end, "."+good)
	f.Add(uint(0), uint(0), " ")
	f.Add(uint(0), dot, "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0Iiwia2lkIjoidGVzdC1rZXkifQ") // alg none
	f.Add(uint(0), dot, "e30")
	f.Add(dot, end, "")
	f.Add(uint(0), end, "..")
	f.Add(uint(0), end, strings.Repeat(".", 9000))
	for _, bad := range issuer.Bads() {
		f.Add(uint(0), end, bad.Token)
	}
	f.Fuzz(func(t *testing.T, from, to uint, put string) {
		from, to = min(from, end), min(to, end)
		raw := good[:from] + put + good[max(from, to):]
		got, err := verifier.Verify(t.Context(), raw)
		switch {
		case raw == good && (err != nil || got.ID != 7 || got.Name != "person-7" || got.Role != token.RoleUser):
			t.Errorf("the good token is %+v, %v", got, err)
		case raw != good && (got != token.User{} || fault.KindOf(err) != fault.Unauthenticated):
			t.Errorf("%q is %+v, %v", raw, got, err)
		}
	})
}

// BenchmarkVerify is a token that was seen before, and in the same run one that was not. It runs on one goroutine.
func BenchmarkVerify(b *testing.B) {
	issuer := tokentest.New(b)
	verifier := issuer.Verifier()
	seen := issuer.Mint(7, token.RoleUser)
	if _, err := verifier.Verify(b.Context(), seen); err != nil { // fetches the keys
		b.Fatal(err)
	}
	fresh := make([]string, 100)
	var first, again time.Duration
	rounds := 0
	for b.Loop() {
		for i := range fresh {
			fresh[i] = issuer.Mint(7, token.RoleUser)
		}
		first += verifyAll(b, verifier, fresh)
		again += verifyAll(b, verifier, slices.Repeat([]string{seen}, len(fresh)))
		rounds += len(fresh)
	}
	b.ReportMetric(0, "ns/op") // of minting too
	b.ReportMetric(float64(first.Microseconds())/float64(rounds), "µs-first")
	b.ReportMetric(float64(again.Microseconds())/float64(rounds), "µs-again")
	b.ReportMetric(again.Seconds()/first.Seconds(), "again-of-first")
}

func verifyAll(b *testing.B, verifier *token.Verifier, tokens []string) time.Duration {
	b.Helper()
	start := time.Now()
	for _, raw := range tokens {
		if _, err := verifier.Verify(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}

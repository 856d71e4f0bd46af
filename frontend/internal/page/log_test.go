package page_test

import (
	"encoding/json"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

// logged is what the log says went wrong with the answer's request.
func (w *website) logged(a answer) string {
	w.t.Helper()
	for text := range strings.Lines(w.log.String()) {
		var line struct {
			TraceID string `json:"trace_id"`
			Error   string
		}
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			w.t.Fatal(err)
		}
		if line.TraceID == a.header.Get("Trace-Id") {
			return line.Error
		}
	}
	w.t.Fatalf("no line of the trace %s", a.header.Get("Trace-Id"))
	return ""
}

// TestCausesReachTheLog covers failures that are shown and not returned: the page
// says that something is away, the log says why.
func TestCausesReachTheLog(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	signedIn := as(w.issuer.Mint(7, "user"))
	w.get("/", signedIn) // fetches the keys
	for _, f := range []*fake{w.auth, w.product, w.recommendation} {
		f.mood.Store(broken)
	}
	const catalogue, recommendation, auth = "the catalogue answered 500", "the recommendation service answered 500", "sign-in answered 500"
	for name, c := range map[string]struct {
		answer answer
		status int
		causes []string
	}{
		"sign-in":          {w.post("/login", ada()), 503, []string{auth}},
		"registration":     {w.post("/register", ada("email", "a@b.example")), 503, []string{auth}},
		"sections":         {w.get("/", signedIn), 200, []string{catalogue, recommendation, recommendation}},
		"picks":            {w.get("/recommendations", signedIn, w.byHtmx("/")), 200, []string{recommendation}},
		"a vote":           {w.post("/origamis/1/vote", nil, signedIn), 503, []string{catalogue}},
		"services":         {w.get("/status"), 200, []string{auth, catalogue, recommendation}},
		"service states":   {w.get("/api/service-status"), 200, []string{auth, catalogue, recommendation}},
		"another's form":   {w.post("/logout", nil, header("Sec-Fetch-Site", "cross-site")), 403, []string{"this request came from another site"}},
		"an unknown place": {w.get("/nowhere"), 404, []string{"nothing is at /nowhere"}},
	} {
		got := w.logged(c.answer)
		rest := got
		for _, cause := range c.causes { // each as often as it is listed
			rest = strings.Replace(rest, cause, "", 1)
		}
		if c.answer.status != c.status || len(got)-len(rest) != len(strings.Join(c.causes, "")) {
			t.Errorf("%s: %d, logged %q, want %d and %q", name, c.answer.status, got, c.status, c.causes)
		}
	}
}

// TestRefusalsReachTheLog covers what only leads elsewhere, or shows nothing.
func TestRefusalsReachTheLog(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	someone := as(w.issuer.Mint(7, "user"))
	w.issuer.Down.Store(true)
	w.revoked = true
	for name, c := range map[string]struct {
		answer answer
		cause  string
	}{
		"keys out of reach":            {w.get("/status", someone), "auth is away"},
		"own votes unknown":            {w.get("/", someone), "the token is not valid"},
		"a revoked vote":               {w.post("/origamis/1/vote", nil, someone), "the token is not valid"},
		"registered but not signed in": {w.post("/register", ada("email", "a@b.example", "username", "busy")), "too many tries"},
	} {
		if got := w.logged(c.answer); !strings.Contains(got, c.cause) {
			t.Errorf("%s: logged %q, want %q", name, got, c.cause)
		}
	}
}

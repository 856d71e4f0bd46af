package page_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"
)

// failures are the ways in which a service can be unavailable.
func failures() map[string]func(*fake) {
	return map[string]func(*fake){
		"gone":      func(f *fake) { f.server.Close() },
		"broken":    func(f *fake) { f.failure.Store(broken) },
		"hanging":   func(f *fake) { f.failure.Store(hanging) },
		"slow":      func(f *fake) { f.failure.Store(slow) },
		"cutting":   func(f *fake) { f.failure.Store(cutting) },
		"endless":   func(f *fake) { f.failure.Store(endless) },
		"trickling": func(f *fake) { f.failure.Store(trickling) },
	}
}

// promptly is get of what has to be there within a second, in a bubble.
func (w *website) promptly(path string, options ...option) answer {
	w.t.Helper()
	start := time.Now()
	a := w.get(path, options...)
	if took := time.Since(start); took > time.Second && w.network != nil {
		w.t.Errorf("%s took %s", path, took)
	}
	return a
}

// onEachFailure runs the test on a website of its own, by inBubble or inRealTime, for each way in
// which a service can be unavailable.
func onEachFailure(
	t *testing.T, in func(*testing.T, func(*testing.T, *website)),
	test func(t *testing.T, w *website, fail func(*fake)),
) {
	t.Parallel()
	for failure, fail := range failures() {
		t.Run(failure, func(t *testing.T) {
			t.Parallel()
			in(t, func(t *testing.T, w *website) { test(t, w, fail) })
		})
	}
}

func TestCatalogueAway(t *testing.T) {
	onEachFailure(t, inBubble, func(t *testing.T, w *website, fail func(*fake)) {
		fail(w.product)
		a := w.promptly("/", w.signedIn)
		a.check(t, "the gallery", 200,
			text(a.id("today-heading")), "Crane",
			text(a.class("reason")), "chosen for you",
			text(a.class("away-heading")), "The gallery is not available",
			a.id("pieces") == nil, true)
		a = w.promptly("/origamis/1", w.signedIn)
		a.check(t, "a product", 503, text(a.tags("h1")[0]), "Not available right now")
		a = w.post("/origamis/1/vote", nil, w.signedIn, w.byHtmx("/"))
		a.check(t, "a vote", 503, text(a.class("notice")), "Voting is not available right now. Please try again in a moment.")
		a = w.promptly("/?cursor=two%3D", w.byHtmx("/"))
		a.check(t, "more", 503, a.body, begins(`<span class="notice">`))
		a = w.promptly("/images/crane.svg")
		a.check(t, "a picture", 503, a.header.Get("Cache-Control"), "private, no-store")
	})
}

func TestRecommendationAway(t *testing.T) {
	onEachFailure(t, inBubble, func(t *testing.T, w *website, fail func(*fake)) {
		fail(w.recommendation)
		a := w.promptly("/", w.signedIn)
		a.check(t, "the gallery", 200,
			text(a.id("today-heading")), "Paper, patience, and a few good folds",
			text(a.class("away-heading")), "Recommendations are not available",
			text(a.id("vote-1")), "41 votes Vote for Crane")
		a = w.promptly("/recommendations", w.byHtmx("/"))
		a.check(t, "the picks", 200, text(a.class("away-heading")), "Recommendations are not available",
			attr(a.id("picks"), "hx-get"), "/recommendations", len(a.tags("ul")), 0)
		a = w.promptly("/daily")
		a.check(t, "the day", 200,
			text(a.tags("h1")[0]), "Not available right now",
			attr(a.class("today-act").FirstChild, "href"), "/daily?date=2026-11-22",
			text(a.class("away-heading")), "The archive is not available",
			len(a.tags("table")), 0)
		a = w.promptly("/daily?date=2026-11-03")
		a.check(t, "a past day", 503, text(a.tags("h1")[0]), "Not available right now")
		a = w.promptly("/origamis/1")
		a.check(t, "a product", 200,
			text(a.tags("h1")[0]), "Crane",
			text(a.class("away-heading")), "Related pieces are not available",
			text(a.id("vote-1")), "41 votes Vote for Crane")
	})
}

// TestAuthAway covers sign-in, and what pages say of a person whose token
// cannot be checked.
func TestAuthAway(t *testing.T) {
	w := startWebsite(t)
	w.issuer.Down.Store(true)
	w.auth.server.Close()
	a := w.get("/", w.signedIn)
	a.check(t, "the answer", 200, text(a.class("site-nav")), "Gallery Today Status Sign-in unavailable",
		a.header.Get("Set-Cookie"), "")
	check(t, "the answer", text(a.id("vote-1")), "41 votes Vote for Crane")
	a = w.get("/login", w.signedIn)
	a.check(t, "login page", 200, text(a.class("why")), begins("Sign-in is not responding"))
	for path, form := range map[string]url.Values{"/login": ada(), "/register": ada("email", "a@b.example")} {
		a := w.post(path, form)
		id := strings.TrimPrefix(path, "/") + "-form"
		a.check(t, path, 503, text(a.id(id+"-problem")), begins("Sign-in is not available right now."))
		check(t, path, attr(a.id("username"), "value"), "ada")
	}
}

func TestAuthMisconfigured(t *testing.T) {
	w := startWebsite(t)
	a := w.post("/register", ada("email", "a@b.example", "username", "badkey"))
	a.check(t, "the answer", 500, a.body, lacks("key"))
}

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
// says that something is unavailable, the log says why.
func TestCausesReachTheLog(t *testing.T) {
	w := startWebsite(t)
	w.get("/", w.signedIn) // fetches the keys
	for _, f := range []*fake{w.auth, w.product, w.recommendation} {
		f.failure.Store(broken)
	}
	const catalogue, recommendation, auth = "the catalogue answered 500", "the recommendation service answered 500",
		"sign-in answered 500"
	for name, c := range map[string]struct {
		answer answer
		status int
		causes []string
	}{
		"sign-in":        {w.post("/login", ada()), 503, []string{auth}},
		"registration":   {w.post("/register", ada("email", "a@b.example")), 503, []string{auth}},
		"sections":       {w.get("/", w.signedIn), 200, []string{catalogue, recommendation, recommendation}},
		"picks":          {w.get("/recommendations", w.signedIn, w.byHtmx("/")), 200, []string{recommendation}},
		"a vote":         {w.post("/origamis/1/vote", nil, w.signedIn), 503, []string{catalogue}},
		"services":       {w.get("/status"), 200, []string{auth, catalogue, recommendation}},
		"service states": {w.get("/api/service-status"), 200, []string{auth, catalogue, recommendation}},
		"another's form": {w.post("/logout", nil, header("Sec-Fetch-Site", "cross-site")), 403,
			[]string{"this request came from another site"}},
		"an unknown place": {w.get("/nowhere"), 404, []string{"nothing is at /nowhere"}},
	} {
		got := w.logged(c.answer)
		rest := got
		for _, cause := range c.causes { // each as often as it is listed
			rest = strings.Replace(rest, cause, "", 1)
		}
		c.answer.check(t, name, c.status, len(got)-len(rest), len(strings.Join(c.causes, "")))
	}
}

// TestRefusalsReachTheLog covers what only leads elsewhere, or shows nothing.
func TestRefusalsReachTheLog(t *testing.T) {
	w := startWebsite(t)
	w.issuer.Down.Store(true)
	w.revoked = true
	form := ada("email", "a@b.example", "username", "busy", "next", "/origamis/2")
	registered := w.post("/register", form) // sign-in is refused
	check(t, "registered", registered.header.Get("Location"), "/login?next=%2Forigamis%2F2&why=welcome")
	for name, c := range map[string]struct {
		answer answer
		cause  string
	}{
		"keys out of reach":            {w.get("/status", w.signedIn), "auth is not responding"},
		"own votes unknown":            {w.get("/", w.signedIn), "the token is not valid"},
		"a revoked vote":               {w.post("/origamis/1/vote", nil, w.signedIn), "the token is not valid"},
		"registered but not signed in": {registered, "too many tries"},
	} {
		check(t, name, w.logged(c.answer), has(c.cause))
	}
}

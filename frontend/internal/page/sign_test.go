package page_test

import (
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

func ada(extra ...string) url.Values {
	form := url.Values{"username": {"ada"}, "password": {"open sesame please"}}
	for i := 0; i < len(extra); i += 2 {
		form.Set(extra[i], extra[i+1])
	}
	return form
}

// TestTheWholeWayWithoutScripts is a person with a browser without scripts.
func TestTheWholeWayWithoutScripts(t *testing.T) {
	w := startWebsite(t)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	for _, step := range []struct {
		path, lands string
		form        url.Values
	}{
		{"/origamis/2/vote", "/login?next=%2Forigamis%2F2%23piece-2", nil},
		{"/register", "/origamis/2", ada("email", "ada@example.org", "next", "/origamis/2#piece-2")},
		{"/origamis/1/vote", "/origamis/1", nil},
		{"/origamis/2/unvote", "/origamis/2", nil},
		{"/logout", "/", nil},
		{"/origamis/2/vote", "/login?next=%2Forigamis%2F2%23piece-2", nil},
		{"/login", "/origamis/2", ada("next", "/origamis/2#piece-2")},
	} {
		before := maps.Clone(w.mine)
		if got := w.submit(browser, step.path, step.form); got != step.lands {
			t.Fatalf("%s lands on %s, want %s", step.path, got, step.lands)
		}
		signedIn := step.path == "/register" || step.path == "/login"
		check(t, step.path, w.mine[2], !strings.HasSuffix(step.path, "unvote") && (before[2] || signedIn))
	}
	check(t, "the votes", w.mine, map[int64]bool{1: true, 2: true})
	u, err := url.Parse(w.site.URL)
	check(t, "the browser's cookies", err, nil, len(jar.Cookies(u)), 2)
}

// wanting is a browser that remembers a vote for the product.
func wanting(id string) option {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "craftista_vote", Value: id}) }
}

const voteForgotten = "craftista_vote=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"

// TestAVoteIsRemembered for whoever has to sign in, and where another site asks for
// one, for nobody.
func TestAVoteIsRemembered(t *testing.T) {
	w := startWebsite(t)
	const remembered = "craftista_vote=2; Path=/; Max-Age=1800; HttpOnly; SameSite=Lax"
	for name, who := range map[string]option{"signed out": nobody, "expired": w.expired()} {
		for way, by := range w.ways("/") {
			got := w.post("/origamis/2/vote", nil, who, by)
			check(t, name+" "+way, got.header.Values("Set-Cookie"), []string{remembered})
			got = w.post("/origamis/2/unvote", nil, who, by)
			check(t, name+" "+way+", to take it back", got.header.Get("Set-Cookie"), "")
			got = w.post("/origamis/2/vote", nil, who, by, header("Sec-Fetch-Site", "cross-site"))
			got.check(t, name+" "+way+" from elsewhere", 403, got.header.Get("Set-Cookie"), "")
		}
		got := w.get("/origamis/2/vote", who)
		got.check(t, name+" by a link", 405, got.header.Get("Set-Cookie"), "")
	}
	w.revoked = true
	got := w.post("/origamis/2/vote", nil, w.signedIn)
	check(t, "ended elsewhere", slices.Sorted(slices.Values(got.header.Values("Set-Cookie"))),
		slices.Sorted(slices.Values(append(clearedCookies(), remembered))))
	https := newWebsite(t, page.Settings{Secure: true})
	got = https.post("/origamis/2/vote", nil)
	check(t, "over https", got.header.Get("Set-Cookie"),
		"__Host-craftista_vote=2; Path=/; Max-Age=1800; HttpOnly; Secure; SameSite=Lax")
}

// TestTheSignInCastsTheVote that was clicked for, and no other.
func TestTheSignInCastsTheVote(t *testing.T) {
	w := startWebsite(t)
	for name, c := range map[string]struct {
		cookie, next string
		votes        map[int64]bool
		forgets      bool
	}{
		"the click and its way back":  {"2", "/?sort=name#piece-2", map[int64]bool{2: true}, true},
		"a link, without a click":     {"", "/#piece-2", nil, false},
		"a click on another":          {"1", "/#piece-2", nil, true},
		"another way back":            {"2", "/account", nil, true},
		"a piece that begins like it": {"2", "/#piece-22", nil, true},
		"no number":                   {"x", "/#piece-2", nil, false},
		"below nothing":               {"-2", "/#piece--2", nil, false},
		"no such piece":               {"99", "/#piece-99", nil, true},
	} {
		for path, form := range map[string]url.Values{
			"/login": ada("next", c.next), "/register": ada("email", "a@b.example", "next", c.next),
		} {
			for way, by := range w.ways(path) {
				clear(w.mine)
				got := w.post(path, form, wanting(c.cookie), by)
				what := name + " at " + path + " " + way
				to := got.header.Get("Location") + got.header.Get("HX-Redirect")
				check(t, what, to, begins("/login?"), len(w.mine), len(c.votes), w.mine[2], c.votes[2],
					slices.Contains(got.header.Values("Set-Cookie"), voteForgotten), c.forgets)
			}
			clear(w.mine)
			got := w.post(path, form, wanting(c.cookie), header("Sec-Fetch-Site", "cross-site"))
			got.check(t, name+" from elsewhere", 403, len(w.mine), 0)
		}
	}
	clear(w.mine)
	got := w.post("/login", ada("password", "guess", "next", "/#piece-2"), wanting("2"))
	got.check(t, "a wrong password", 401, len(w.mine), 0, got.header.Get("Set-Cookie"), "")
	check(t, "what the page says", text(w.get("/login?next=/%23piece-2", wanting("2")).class("why")),
		"Sign in to vote. Your vote is counted as soon as you are signed in.")
}

// TestASignInOutlivesItsVote: the catalogue does not answer.
func TestASignInOutlivesItsVote(t *testing.T) {
	onEachFailure(t, inRealTime, func(t *testing.T, w *website, fail func(*fake)) {
		fail(w.product)
		got := w.post("/login", ada("next", "/#piece-2"), wanting("2"))
		got.check(t, "the answer", 303, got.header.Get("Location"), landing("/#piece-2"),
			len(got.header.Values("Set-Cookie")), 3, len(w.mine), 0)
	})
}

// landing is where a sign-in leads to first.
func landing(next string) string {
	return "/login?" + url.Values{"next": {next}, "why": {"cookies"}}.Encode()
}

// TestCookiesThatTheBrowserDoesNotKeep are told of, instead of asking again and again.
func TestCookiesThatTheBrowserDoesNotKeep(t *testing.T) {
	w := startWebsite(t)
	const says = "Your browser did not keep the cookies that sign you in. Allow cookies for this site, then sign in again."
	to := w.post("/login", ada("next", "/account")).header.Get("Location")
	got := w.get(to)
	got.check(t, "without cookies", 200, text(got.class("why")), says, attr(got.tags("input")[0], "value"), "/account")
	got = w.get(to, w.signedIn)
	got.check(t, "with cookies", 303, got.header.Get("Location"), "/account")
	keys := newWebsite(t, page.Settings{})
	keys.issuer.Down.Store(true)
	got = keys.get(to, with(keys.issuer.Mint(7, "user"), "r0"))
	got.check(t, "with cookies that cannot be checked", 303, got.header.Get("Location"), "/account")
}

// submit posts a form as a browser does and gives the address it ends at.
func (w *website) submit(browser *http.Client, path string, form url.Values) string {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, w.site.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	res, err := browser.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Request.URL.RequestURI()
}

// TestWhoSignsInAgainSaysSo, so that auth does not let them wait for strangers.
func TestWhoSignsInAgainSaysSo(t *testing.T) {
	w := startWebsite(t)
	w.post("/login", ada(), w.signedIn)
	check(t, "signed in", w.signedInBy, "Bearer "+w.access)
	w.post("/login", ada())
	check(t, "nobody", w.signedInBy, "")
}

// TestSessionCookies holds both cookies of a sign-in and of a registration: the
// access token's outlives the other by a day, to tell that the session ran out.
func TestSessionCookies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		settings page.Settings
		want     []string
	}{
		"http": {page.Settings{}, renewed()},
		"https": {page.Settings{Secure: true}, []string{
			"__Host-craftista_session; Path=/; Max-Age=2678400; HttpOnly; Secure; SameSite=Lax",
			"__Host-craftista_refresh; Path=/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax",
		}},
	} {
		w := newWebsite(t, c.settings)
		for path, form := range map[string]url.Values{"/login": ada(), "/register": ada("email", "a@b.example")} {
			a := w.post(path, form)
			a.check(t, name+path, 303, a.header.Get("Location"), landing("/"))
			values := a.cookies(t, name+path, c.want)
			a = w.get("/", func(r *http.Request) {
				r.AddCookie(&http.Cookie{Name: strings.SplitN(c.want[0], ";", 2)[0], Value: values[0]})
			})
			check(t, name+path, text(a.class("site-nav")), has("person-7"))
			check(t, name+path, a.body, lacks(values[0]))
		}
	}
}

// cookies holds which cookies the answer sets and returns their values.
func (a answer) cookies(t *testing.T, what string, want []string) []string {
	t.Helper()
	var got, values []string
	for _, line := range a.header.Values("Set-Cookie") {
		c, err := http.ParseSetCookie(line)
		if err != nil {
			t.Fatal(err)
		}
		got, values = append(got, strings.Replace(line, "="+c.Value, "", 1)), append(values, c.Value)
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Fatalf("%s (-got +want):\n%s", what, diff)
	}
	return values
}

func TestSignFormsRefuse(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct {
		name, path string
		form       url.Values
		status     int
		problem    string
		errors     map[string]string // by input
		invalid    string            // the inputs marked
		described  string            // of the first marked input
	}{
		{"wrong password", "/login", ada("password", "guess"), 401, "Wrong username or password.", nil,
			"username password", "login-form-problem"},
		{"nothing typed", "/login", url.Values{}, 422, "Please fix what is marked below.",
			map[string]string{"username": "Username or e-mail is required", "password": "Password is required"},
			"username password", "username-error"},
		{"too many tries", "/login", ada("username", "busy"), 429, "Too many attempts. Wait 30 seconds and try again.", nil,
			"", ""},
		{"rules", "/register", ada("email", "a@b.example", "password", "short"), 422, "Please fix what is marked below.",
			map[string]string{"username": "Username is too short", "password": "Password must have 10 to 72 bytes"},
			"username password", "username-error username-hint"},
		{"taken", "/register", ada("email", "a@b.example", "username", "taken", "password", "not theirs at all"), 409,
			"This username or e-mail is already taken. If it is yours, sign in instead.",
			nil, "username email", "register-form-problem username-hint"},
	} {
		c.form.Set("next", "/origamis/2")
		whole := w.refused(c.name, c.path, c.form, c.status, c.problem)
		for name, want := range c.errors {
			check(t, c.name, text(whole.id(name+"-error")), want)
		}
		checkInputs(t, c.name, whole, c.form, c.invalid, c.described)
	}
	check(t, "the answer", w.post("/login", ada("username", "busy")).header.Get("Retry-After"), "30")
}

// refused posts the form with and without htmx and gives the whole page, whose
// form is the fragment.
func (w *website) refused(name, path string, form url.Values, status int, problem string) answer {
	w.t.Helper()
	whole, part := w.post(path, form), w.post(path, form, w.byHtmx(path))
	id := strings.TrimPrefix(path, "/") + "-form"
	check(w.t, name, markup(w.t, whole.id(id)), markup(w.t, part.id(id)))
	whole.check(w.t, name, status, part.status, status, whole.header.Get("Set-Cookie"), "")
	check(w.t, name, text(whole.id(id+"-problem")), problem)
	return whole
}

// checkInputs holds that what was typed is kept, save passwords, and that the
// inputs named invalid are marked, the first of them focused and described.
func checkInputs(t *testing.T, name string, a answer, form url.Values, invalid, described string) {
	t.Helper()
	var marked []string
	for _, input := range a.tags("input") {
		field, want := attr(input, "name"), ""
		if field != "password" {
			want = form.Get(field)
		}
		check(t, name, attr(input, "value"), want)
		if attr(input, "aria-invalid") == "true" {
			if marked = append(marked, field); len(marked) == 1 && (attr(input, "aria-describedby") != described ||
				!strings.Contains(markup(t, input), "autofocus")) {
				t.Errorf("%s: %s, want it focused and described by %q", name, markup(t, input), described)
			}
		}
	}
	check(t, name, strings.Join(marked, " "), invalid)
}

// TestRegisteredTwice is a form that was sent again before its answer came: what
// comes then is the account, not that somebody took the name. Who has the account
// with another e-mail address is told that it stays.
func TestRegisteredTwice(t *testing.T) {
	w := startWebsite(t)
	for email, next := range map[string]string{
		"seven@example.com": "/#piece-2", " Seven@Example.com ": "/#piece-2", "a@b.example": "/account?done=known",
	} {
		clear(w.mine)
		a := w.post("/register", ada("email", email, "username", " taken ", "next", "/#piece-2"), wanting("2"))
		a.check(t, email, 303, a.header.Get("Location"), landing(next), len(a.header.Values("Set-Cookie")), 3,
			w.mine[2], true)
	}
	a := w.get("/account?done=known", w.here("user"))
	check(t, "the account", text(a.class("done")), "You had an account with this name and password already, "+
		"so you are signed in to it. It keeps its e-mail address: the one that you typed was not saved.")
}

func TestSignInByHtmx(t *testing.T) {
	w := startWebsite(t)
	for path, form := range map[string]url.Values{"/login": ada("next", "/origamis/2"),
		"/register": ada("email", "a@b.example", "next", "/origamis/2")} {
		a := w.post(path, form, w.byHtmx(path))
		a.check(t, path, 204, a.header.Get("HX-Redirect"), landing("/origamis/2"), a.header.Get("Set-Cookie"),
			begins("craftista_session=ey"))
	}
}

func TestFormsAreReadStrictly(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct {
		name, media, body string
		status            int
	}{
		{"too large", "application/x-www-form-urlencoded", "username=" + strings.Repeat("a", 70<<10), 413},
		{"JSON", "application/json", "{}", 415},
		{"no type", "", "username=a", 415},
		{"bad escape", "application/x-www-form-urlencoded", "username=%zz", 400},
		{"not UTF-8", "application/x-www-form-urlencoded", "username=%ff", 400},
		{"unknown field", "application/x-www-form-urlencoded", "username=a&password=b&role=admin", 400},
		{"a field twice", "application/x-www-form-urlencoded", "username=a&username=b", 400},
	} {
		for _, path := range []string{"/login", "/register"} {
			a := w.do(http.MethodPost, path, strings.NewReader(c.body), header("Content-Type", c.media))
			a.check(t, c.name+" at "+path, c.status, a.doc != nil, true)
		}
	}
}

func TestSignPages(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct{ path, heading, why, other string }{
		{"/login", "Sign in", "", "/register"},
		{"/login?next=/origamis/2", "Sign in", "Sign in to continue where you were.",
			"/register?next=%2Forigamis%2F2"},
		{"/login?next=/origamis/2&why=expired", "Sign in",
			"Your session has expired. Sign in again to continue where you were.", "/register?next=%2Forigamis%2F2"},
		{"/login?why=welcome", "Sign in", "Your account was created. Sign in to use it.", "/register"},
		{"/register", "Create an account", "", "/login"},
	} {
		a := w.get(c.path)
		check(t, c.path, text(a.tags("h1")[0]), c.heading, text(a.class("why")), c.why,
			attr(a.class("other").LastChild, "href"), c.other)
	}
	for path, want := range map[string]string{"/login?next=/origamis/2": "/origamis/2", "/register": "/",
		"/login?next=//evil.example": "/"} {
		a := w.get(path, w.signedIn)
		a.check(t, "signed in at "+path, 303, a.header.Get("Location"), want)
	}
	a := w.post("/logout", nil, w.signedIn)
	a.check(t, "sign-out", 303, a.header.Get("Location"), "/", a.header.Get("Set-Cookie"), has("Max-Age=0"))
}

// TestNextStaysHere holds that both forms ask package redirect, whose tests have
// what it refuses.
func TestNextStaysHere(t *testing.T) {
	w := startWebsite(t)
	for raw, want := range map[string]string{
		"/?q=a#piece-3": "/?q=a#piece-3", "/login": "/", "//evil.example": "/", "https://evil.example/": "/",
	} {
		a := w.get("/login?" + url.Values{"next": {raw}}.Encode())
		check(t, "GET with next="+raw, attr(a.tags("input")[0], "value"), want)
		check(t, "POST with next="+raw, w.post("/login", ada("next", raw)).header.Get("Location"), landing(want))
	}
}

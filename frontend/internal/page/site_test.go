package page_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

// route is one address of the site, with the methods that it allows.
type route struct{ method, path, allow string }

// everyRoute is what the router routes, with something in each place of a
// pattern: a route that is new is in it.
func (w *website) everyRoute() []route {
	w.t.Helper()
	var all []route
	methods := map[string][]string{}
	hole := regexp.MustCompile(`\{[^}]+\}`)
	w.router(page.Settings{}).Walk(func(method, pattern string) {
		path := hole.ReplaceAllString(pattern, "1")
		all, methods[path] = append(all, route{method: method, path: path}), append(methods[path], method)
	})
	for i, r := range all {
		allowed := slices.Clone(methods[r.path])
		if slices.Contains(allowed, http.MethodGet) {
			allowed = append(allowed, http.MethodHead)
		}
		slices.Sort(allowed)
		all[i].allow = strings.Join(slices.Compact(allowed), ", ")
	}
	return all
}

// TestNoRouteTakesOrdersFromElsewhere sends to every route that changes anything
// what another site's page could, with the person's cookies.
func TestNoRouteTakesOrdersFromElsewhere(t *testing.T) {
	w := startWebsite(t)
	person := with(w.issuer.Mint(7, "admin"), "r0")
	w.get("/", person) // the keys are there
	before := w.product.asked.Load() + w.auth.asked.Load() + w.recommendation.asked.Load()
	writes := 0
	for _, r := range w.everyRoute() {
		if r.method == http.MethodGet || r.method == http.MethodHead {
			continue
		}
		writes++
		for _, o := range w.origins() {
			if !o.refused {
				continue
			}
			for _, media := range []string{"application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x",
				"application/json"} {
				a := w.do(r.method, r.path, strings.NewReader("username=a"), append(slices.Clone(o.headers), person,
					header("Content-Type", media))...)
				a.check(t, o.name+" "+r.method+" "+r.path+" as "+media, 403, a.header.Get("Set-Cookie"), "",
					a.header.Get("Location"), "")
			}
		}
	}
	check(t, "calls of services", w.product.asked.Load()+w.auth.asked.Load()+w.recommendation.asked.Load(), before,
		writes >= 7, true)
}

// TestNothingIsFramed holds that every HTML answer, whatever its status, forbids
// frames, inline script and style, and another base.
func TestNothingIsFramed(t *testing.T) {
	w := startWebsite(t)
	pages := 0
	hold := func(what string, a answer) {
		if a.doc == nil {
			return
		}
		pages++
		got := a.header.Values("Content-Security-Policy")
		check(t, what, len(got), 1, got[0], has("frame-ancestors 'none'"), got[0], begins("default-src 'none'"), got[0],
			lacks("unsafe-eval"))
	}
	person := as(w.issuer.Mint(7, "admin"))
	for _, r := range w.everyRoute() {
		for _, who := range []option{person, nobody, header("Sec-Fetch-Dest", "iframe")} {
			hold(r.method+" "+r.path, w.do(r.method, r.path, nil, who))
			hold("fragment "+r.path, w.do(r.method, r.path, nil, who, w.byHtmx("/")))
			hold("large "+r.path, w.do(r.method, r.path, strings.NewReader(strings.Repeat("x", 70<<10)), who,
				header("Content-Type", "application/x-www-form-urlencoded")))
		}
		hold("wrong method "+r.path, w.do("LOCK", r.path, nil))
	}
	for _, path := range []string{"/nowhere", "/origamis/99", "/?cursor=forged", "/static/none.css", "//evil.example/"} {
		hold(path, w.get(path))
	}
	w.product.failure.Store(broken)
	hold("away", w.get("/origamis/1"))
	check(t, "pages", pages >= 40, true)
}

// TestCookiesOfAnothersMaking holds that none signs anybody in, none breaks a
// page, and none makes the site set one but to clear what is not good.
func TestCookiesOfAnothersMaking(t *testing.T) {
	w := startWebsite(t)
	good := w.issuer.Mint(7, "user")
	for name, raw := range map[string]string{
		"garbage":                   "craftista_session=\"';,\\; craftista_refresh=\x80\xff",
		"huge":                      "craftista_session=" + strings.Repeat("e", 60_000),
		"huge refresh":              "craftista_refresh=" + strings.Repeat("r", 60_000),
		"swapped":                   "craftista_session=r0; craftista_refresh=" + good,
		"refresh as access":         "craftista_session=r0",
		"quoted":                    `craftista_session="` + good + `x"`,
		"without a name":            "=craftista_session=" + good,
		"a name with space":         "\u00a0craftista_session=" + good + "; craftista_session\u2003=" + good,
		"another case":              "Craftista_Session=" + good,
		"the prefixed on http":      "__Host-craftista_session=" + good + "; __Secure-craftista_session=" + good,
		"a bad one before the good": "craftista_session=bad; craftista_session=" + good,
		"a thousand":                strings.Repeat("craftista_session=x; ", 1000),
		"an order of auth's":        "craftista_session=ended; craftista_session=" + good,
		"no pairs":                  ";;;===;;; ,",
	} {
		for _, path := range []string{"/", "/origamis/1", "/login"} {
			a := w.get(path, header("Cookie", raw))
			nav := text(a.class("site-nav"))
			a.check(t, name+" at "+path, 200, nav, lacks("person-7"), a.body, lacks(good))
			for _, c := range a.header.Values("Set-Cookie") {
				if !strings.Contains(c, "Max-Age=0") && !strings.HasPrefix(c, "craftista_session=ended;") {
					t.Errorf("%s at %s sets %q", name, path, c)
				}
			}
		}
		a := w.post("/origamis/2/vote", nil, header("Cookie", raw))
		a.check(t, name+": a vote", 303, a.header.Get("Location"), begins("/login?"), w.mine[2], false)
	}
	secure := newWebsite(t, page.Settings{Secure: true})
	theirs := secure.issuer.Mint(7, "user")
	for _, raw := range []string{
		"craftista_session=" + theirs, "__Secure-craftista_session=" + theirs, "__host-craftista_session=" + theirs,
		"\u00a0__Host-craftista_session=" + theirs, "=__Host-craftista_session=" + theirs,
	} {
		check(t, "over https, "+raw[:40], text(secure.get("/", header("Cookie", raw)).class("site-nav")), lacks("person-7"))
	}
}

// TestLedFromElsewhere sends hostile addresses of the page that the person was on.
func TestLedFromElsewhere(t *testing.T) {
	w := startWebsite(t)
	for _, tail := range []string{
		"//evil.example", "@evil.example/", ".evil.example/", `\@evil.example`, `/\evil.example`, "/%2Fevil.example",
		"/%09/evil.example", "/x?next=//evil.example%0d%0aX:y",
	} {
		for _, raw := range []string{w.site.URL + tail, tail, "https://evil.example" + tail} {
			for _, name := range []string{"Referer", "HX-Current-URL"} {
				for _, options := range [][]option{{w.signedIn}, {}} {
					a := w.post("/origamis/1/vote", nil, append(options, header(name, raw))...)
					checkLanding(t, name+" "+raw, a)
					a = w.post("/origamis/1/vote", nil, append(options, w.byHtmx("/"), header(name, raw))...)
					checkLanding(t, name+" in htmx "+raw, a)
				}
			}
		}
	}
}

// checkLanding holds that the answer leads nowhere but to this site, as browsers
// read it: without tabs and newlines, and with a backslash for a slash.
func checkLanding(t *testing.T, what string, a answer) {
	t.Helper()
	for _, name := range []string{"Location", "HX-Redirect", "HX-Location", "HX-Push-Url", "HX-Replace-Url"} {
		to := a.header.Get(name)
		if to == "" {
			continue
		}
		if read := strings.NewReplacer("\t", "", "\n", "", "\r", "", `\`, "/").Replace(to); read != to ||
			!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
			t.Errorf("%.80q: %s %q", what, name, to)
		}
	}
	if a.header.Get("X") != "" || a.status >= 500 {
		t.Errorf("%.80q: %d %v", what, a.status, a.header)
	}
}

// TestProxiesAreNotBelieved sends what only a proxy may say; the answer is the
// same as without.
func TestProxiesAreNotBelieved(t *testing.T) {
	w := startWebsite(t)
	plain := w.get("/origamis/1")
	for name, value := range map[string]string{
		"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "Forwarded": "host=evil.example;proto=https",
		"X-Original-URL": "/login",
		"X-Rewrite-URL":  "/login", "X-Forwarded-Prefix": "//evil.example", "X-HTTP-Method-Override": "DELETE",
		"X-Forwarded-For": "10.0.0.1",
	} {
		a := w.get("/origamis/1", header(name, value))
		body := strings.ReplaceAll(a.body, a.header.Get("Trace-Id"), plain.header.Get("Trace-Id"))
		check(t, name, plain.body, body, a.header.Get("Strict-Transport-Security"), "")
		w.post("/login", ada(), header(name, value)).cookies(t, name, renewed())
	}
}

// TestASlashAtTheEnd leads to the page, and nowhere else.
func TestASlashAtTheEnd(t *testing.T) {
	w := startWebsite(t)
	for path, want := range map[string]string{
		"/login/": "/login", "/login/?next=%2Fdaily": "/login?next=%2Fdaily", "/daily/": "/daily",
		"/origamis/1/": "/origamis/1", "/admin/pieces/": "/admin/pieces",
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			a := w.bare(method, path)
			check(t, method+" "+path, a.Code, http.StatusPermanentRedirect, a.Header().Get("Location"), want)
		}
	}
	for _, path := range []string{"/nowhere/", "//evil.example/", "/login//", "/origamis//"} {
		a := w.bare(http.MethodGet, path)
		check(t, path, a.Code, http.StatusNotFound, a.Header().Get("Location"), "")
	}
	check(t, "what is sent", w.bare(http.MethodPost, "/login/").Code, http.StatusNotFound)
}

// TestOddMethodsAndPaths sends what no browser does.
func TestOddMethodsAndPaths(t *testing.T) {
	w := startWebsite(t)
	server := httptest.NewServer(w.router(page.Settings{})) // the document has none of these
	defer server.Close()
	for _, method := range []string{"TRACE", "OPTIONS", "PURGE", "get", "post", "PROPFIND", "DELETE", "PATCH"} {
		if a := raw(t, server, method, "/origamis/1?_method=POST"); a.status < 400 || a.status >= 500 ||
			strings.Contains(a.body, "echo") {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	for _, path := range []string{
		"//evil.example/", "//evil.example/..", `/\evil.example`, "/origamis/1/../../status", "/nowhere/", "/ORIGAMIS/1",
		"/origamis/1;x=y", "/origamis/%31%2fvote",
		"/%2e%2e/%2e%2e/etc/passwd", "/static/../../../etc/passwd", "/static/%2e%2e%2fstatic.go",
		"/static/css/..%2f..%2fstatic.go", "/images/..%2f..%2fapi%2fproducts",
		"/images/%2e%2e", "/cards/..%2fcrane.png", "/origamis/1%00", "/%ff", "/" + strings.Repeat("a/", 4000),
		"/%0d%0aSet-Cookie:x=y", "/http://evil.example/",
		"*", "/%", "/ /",
	} {
		a := raw(t, server, http.MethodGet, path)
		if a.status < 400 || a.status >= 500 || a.header.Get("Location") != "" || a.header.Get("Set-Cookie") != "" ||
			strings.Contains(a.body, "root:") || strings.Contains(a.body, `="//`) {
			t.Errorf("%.60s: %d %v", path, a.status, a.header)
		}
	}
}

// raw sends a request line as it stands, which no client would.
func raw(t *testing.T, server *httptest.Server, method, path string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err = fmt.Fprintf(conn,
		"%s %s HTTP/1.1\r\nHost: localhost\r\nX-Secret: echo\r\nX-HTTP-Method-Override: GET\r\nConnection: close\r\n\r\n",
		method, path); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s %.60s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{status: res.StatusCode, header: res.Header, body: string(body)}
}

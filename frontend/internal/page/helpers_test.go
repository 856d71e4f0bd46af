package page_test

import (
	"crypto/tls"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/card"
	"craftista/frontend/internal/page"
	"craftista/frontend/internal/session"
	"craftista/frontend/static"
	"craftista/shared/build"
	"craftista/shared/health"
	"craftista/shared/openapi/openapitest"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/waittest"
	"craftista/shared/web"

	"golang.org/x/net/html"
)

// website is the site with three fake services behind it.
type website struct {
	t                             *testing.T
	network                       network // nil is this machine's
	transport                     http.RoundTripper
	pageTimeout                   time.Duration
	site                          *server
	issuer                        *tokentest.Issuer
	auth, product, recommendation *fake
	handler                       http.Handler
	contract                      *openapitest.Contract // holds handler to the document; nil with DevReload
	log                           syncBuffer
	access                        string // person 7's token
	signedIn                      option // person 7

	mu       sync.Mutex // guards what the services have
	products []map[string]any
	mine     map[int64]bool // votes
	listed   []url.Values   // what the catalogue was asked to list
	versions map[string]int // by the product's id
	uploads  []string       // the media types of what was uploaded

	people, sessions []map[string]any
	password         string
	verified         bool         // the address of person 7
	mailedTo         []any        // whom mails were asked for
	signedInBy       string       // the Authorization of the last sign-in
	ended            []string     // paths at which sessions were ended
	grants           int          // of pairs of tokens
	refreshes        atomic.Int32 // calls that asked for one
	revoked          bool         // no token is good
}

// startWebsite runs the test beside others, on a website of its own.
func startWebsite(t *testing.T, settings ...page.Settings) *website {
	t.Helper()
	t.Parallel()
	return newWebsite(t, append(settings, page.Settings{})[0])
}

func newWebsite(t *testing.T, settings page.Settings) *website {
	t.Helper()
	w := &website{t: t, issuer: tokentest.New(t), transport: http.DefaultTransport, pageTimeout: waittest.Timeout}
	w.start(settings)
	return w
}

// start starts the services and the site.
func (w *website) start(settings page.Settings) {
	w.t.Helper()
	w.mine, w.versions = map[int64]bool{}, map[string]int{}
	w.products = []map[string]any{
		{"id": 1, "name": "Crane", "description": "A crane.", "image_url": "/static/origami/crane.svg", "votes": 41,
			"difficulty": "easy", "folds": 22, "paper": "15 cm square", "maker": "Traditional",
			"instructions_url": "https://www.example.org/crane?a=1&b=2"},
		{"id": 2, "name": "Fox", "description": "A fox.", "image_url": "/static/origami/fox.svg", "votes": 1,
			"difficulty": "advanced", "folds": 30, "paper": "20 cm square", "maker": "", "instructions_url": ""},
		{"id": 3, "name": "Whale", "description": "A whale.", "image_url": "https://evil.example/x.svg", "votes": 1234567,
			"difficulty": "odd", "folds": 8, "paper": "any", "maker": "<i>Me</i>",
			"instructions_url": "ftp://example.org/whale"},
	}
	w.auth, w.product, w.recommendation = w.newFake(), w.newFake(), w.newFake()
	w.access = w.issuer.Mint(7, "user")
	w.signedIn = as(w.access)
	for _, p := range w.products {
		p["created_at"], p["updated_at"] = "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"
	}
	w.serveProduct()
	w.serveEdits()
	w.serveRecommendation()
	w.serveImages()
	w.serveAuth()
	w.serveAccount()
	w.serveConsent()
	w.serveKeys()
	w.hold(w.router(settings), settings)
	w.site = w.serve(w.handler)
}

// router is one replica of the site.
func (w *website) router(settings page.Settings) *web.Router {
	w.t.Helper()
	assets, err := static.New()
	if err != nil {
		w.t.Fatal(err)
	}
	drawings, err := static.Drawings()
	if err != nil {
		w.t.Fatal(err)
	}
	if settings.Now == nil {
		settings.Now = func() time.Time { return time.Date(2026, 11, 22, 23, 59, 59, 0, time.UTC) }
	}
	tel, err := telemetry.New(w.t.Context(), "frontend", "", telemetry.Options{Log: slog.NewJSONHandler(&w.log, nil)})
	if err != nil {
		w.t.Fatal(err)
	}
	services := backend.New(backend.URLs{
		Auth: w.auth.server.URL, Product: w.product.server.URL, Recommendation: w.recommendation.server.URL,
	}, "the-key", w.pageTimeout, tel, w.network.use)
	go services.Live.Run(w.t.Context())
	fetch := web.NewHTTPClient(backend.SessionTimeout(w.pageTimeout), tel, w.network.use)
	keys := token.NewRemoteKeys(w.auth.server.URL+"/.well-known/jwks.json", fetch)
	sessions := session.NewManager(token.NewVerifier(keys, w.issuer.URL, tokentest.Audience), services.Auth,
		settings.Secure, time.Now)
	self := health.Service{Name: "frontend", Build: build.Info{Version: "9.9.9"}}
	return page.Routes(page.Parts{
		Services: services, Sessions: sessions, Assets: assets, Cards: card.New(drawings), Self: self, Telemetry: tel,
	}, settings)
}

// hold makes router the handler and holds it to its own document, except with
// DevReload, whose stream the contract would wait for.
func (w *website) hold(router *web.Router, settings page.Settings) {
	w.t.Helper()
	w.handler = router
	if settings.DevReload {
		return
	}
	spec := httptest.NewRecorder()
	router.ServeHTTP(spec, httptest.NewRequestWithContext(w.t.Context(), http.MethodGet, "/openapi.json", nil))
	w.contract = openapitest.New(w.t, spec.Body.Bytes(), router)
	w.handler = w.contract.Handler(router)
}

// syncBuffer is a log that a test reads while requests still write it.
type syncBuffer struct {
	mu   sync.Mutex // guards text
	text strings.Builder
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

type option func(*http.Request)

func as(token string) option {
	return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "craftista_session", Value: token}) }
}

// with is a browser with both cookies.
func with(access, refresh string) option {
	return func(r *http.Request) {
		as(access)(r)
		r.AddCookie(&http.Cookie{Name: "craftista_refresh", Value: refresh})
	}
}

func header(name, value string) option { return func(r *http.Request) { r.Header.Set(name, value) } }

func nobody(*http.Request) {}

// byHtmx is what htmx 4 sends from the page at path.
func (w *website) byHtmx(path string) option {
	return func(r *http.Request) {
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Request-Type", "partial")
		r.Header.Set("HX-Current-URL", w.site.URL+path)
	}
}

// ways are the ways in which a browser posts the form at path.
func (w *website) ways(path string) map[string]option {
	return map[string]option{"whole": nobody, "htmx": w.byHtmx(path)}
}

func (w *website) get(path string, options ...option) answer {
	w.t.Helper()
	return w.do(http.MethodGet, path, nil, options...)
}

func (w *website) post(path string, form url.Values, options ...option) answer {
	w.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return w.do(http.MethodPost, path, strings.NewReader(form.Encode()),
		slices.Concat([]option{header("Content-Type", "application/x-www-form-urlencoded")}, options)...)
}

func (w *website) do(method, path string, body io.Reader, options ...option) answer {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.site.URL+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, o := range options {
		o(r)
	}
	res, err := w.transport.RoundTrip(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	a := answer{status: res.StatusCode, header: res.Header, body: string(text)}
	check(w.t, method+" "+path+" leaks", a.body, lacks("secret detail"))
	if strings.HasPrefix(res.Header.Get("Content-Type"), "text/html") {
		if a.doc, err = html.Parse(strings.NewReader(a.body)); err != nil {
			w.t.Fatal(err)
		}
		checkMarkup(w.t, method+" "+path, a.doc, strings.Contains(res.Header.Get("Content-Security-Policy"),
			"style-src 'unsafe-inline'"))
	}
	return a
}

// open sends a GET whose answer the test reads by itself.
func open(t *testing.T, url string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

// overTLS makes the request what a TLS server would.
func overTLS(r *http.Request) { r.TLS = &tls.ConnectionState{} }

package page

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"craftista/frontend/internal/card"
	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/frontend/static"
	"craftista/shared/telemetry"

	"github.com/a-h/templ"
)

// site is what every handler shares: it sends pages, fragments and failures.
type site struct {
	sessions    *session.Manager
	assets      *static.Assets
	cards       *card.Cards
	settings    Settings
	pageTimeout time.Duration // of one page, in all
}

const siteTitle = "Craftista, an origami gallery"

// fragment reports whether htmx asks for a part of a page. Boosted links and
// history restoration replace the whole of it.
func fragment(r *http.Request) bool {
	return r.Header.Get("HX-Request") == "true" && r.Header.Get("HX-Boosted") == "" &&
		r.Header.Get("HX-History-Restore-Request") == "" && r.Header.Get("HX-Request-Type") != "full"
}

// page sends content as a whole document.
func (s *site) page(w http.ResponseWriter, r *http.Request, status int, title string, content templ.Component) error {
	return send(w, r, status, view.Page(s.frame(r, title), content))
}

// reply sends the part of the page to htmx, and to others all of it.
func (s *site) reply(
	w http.ResponseWriter, r *http.Request, status int, title string, part, whole templ.Component,
) error {
	if fragment(r) {
		return send(w, r, status, part)
	}
	return s.page(w, r, status, title, whole)
}

// send renders the component whole and then writes it. Pages hold one person's
// votes and name, and they change with every vote: no cache keeps them, and
// going back asks again, so that nobody sees a vote they took back, or a person
// who signed out. That costs the back/forward cache and is worth it.
func send(w http.ResponseWriter, r *http.Request, status int, content templ.Component) error {
	b := templ.GetBuffer()
	defer templ.ReleaseBuffer(b)
	ctx := context.WithoutCancel(r.Context()) // the time to fetch may be over, and the page says so
	if err := content.Render(ctx, b); err != nil {
		return fmt.Errorf("render %s: %w", r.URL.Path, err)
	}
	private(w)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(b.Len()))
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // a reader who has hung up needs no answer
	return nil
}

// private marks a response as this person's, and as one of two shapes.
func private(w http.ResponseWriter) {
	w.Header().Set("Cache-Control", "private, no-store")
	w.Header()["Vary"] = []string{"HX-Request", "Accept-Encoding"}
}

// redirectTo sends the browser on to a path of this site, or to a URL that auth
// vouches for, also out of htmx.
func redirectTo(w http.ResponseWriter, r *http.Request, to string) error {
	private(w)
	if fragment(r) {
		w.Header().Set("HX-Redirect", to)
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// htmxTimeout is how long a browser waits at least: longer than the site for what a person started.
const htmxTimeout = 12 * time.Second

func (s *site) frame(r *http.Request, title string) view.Frame {
	next := ""
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		next = redirect.Safe(r.URL.RequestURI())
	}
	frame := view.Frame{
		Title: siteTitle, Here: r.URL.Path,
		SignInURL: withNext("/login", next), RegisterURL: withNext("/register", next),
		Assets:  s.frameAssets(),
		Trace:   view.Trace{ID: telemetry.TraceID(r.Context()), URL: s.traceURL(r)},
		Timeout: strconv.FormatInt(max(htmxTimeout, 2*s.pageTimeout).Milliseconds(), 10),
	}
	if title != "" {
		frame.Title = titled(title)
	}
	switch who := session.From(r.Context()); who.State {
	case session.SignedIn:
		frame.Person.Name = who.User.Name
	case session.Unknown:
		frame.Person.Unavailable = true
	case session.SignedOut, session.Expired: // nobody
	}
	return frame
}

func titled(title string) string { return title + " · Craftista" }

// withNext is the path of a form that leads on to next; the front page, where
// the forms lead anyway, is left out.
func withNext(path, next string) string {
	if next == "/" {
		next = ""
	}
	return withQuery(path, "next", next)
}

// withQuery is the path with the parameters, pairs of a name and a value, that are
// not "".
func withQuery(path string, pairs ...string) string {
	query := url.Values{}
	for pair := range slices.Chunk(pairs, 2) {
		if name, value := pair[0], pair[1]; value != "" {
			query.Set(name, value)
		}
	}
	return (&url.URL{Path: path, RawQuery: query.Encode()}).String()
}

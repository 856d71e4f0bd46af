package api

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"craftista/shared/fault"
	"craftista/shared/pg"
	"craftista/shared/web"
)

// wantsPage reports whether a person's browser asks, at an address that applications send people to. Accept decides
// about the answer then.
func wantsPage(w http.ResponseWriter, r *http.Request) bool {
	if r.URL.Path != "/oauth2/authorize" && r.URL.Path != "/oauth2/logout" {
		return false
	}
	w.Header().Add("Vary", "Accept")
	return strings.Contains(r.Header.Get("Accept"), "text/html")
}

// fail answers a failed request: a page to people whom an application sent, problem details to programs.
func (d Dependencies) fail(w http.ResponseWriter, r *http.Request, err error) {
	if !wantsPage(w, r) {
		web.ProblemWith(pg.Unavailable)(w, r, err)
		return
	}
	f := web.FaultOf(err)
	if f.Kind == fault.Internal && pg.Unavailable(err) {
		f = &fault.Error{Kind: fault.Unavailable, RetryAfter: 2 * time.Second}
	}
	web.SetFaultHeaders(w.Header(), f)
	d.page(w, web.Status(f.Kind))
}

// page sends what a person reads at that status. It leads nowhere but to the site and repeats nothing of the request:
// whoever made that up learns nothing, and shows nobody a text of theirs.
func (d Dependencies) page(w http.ResponseWriter, status int) {
	site, _ := url.JoinPath(d.ConsentURL, "..") // it was checked at the start
	var body bytes.Buffer
	_ = messagePage(status, site).Render(context.Background(), &body) // into memory
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body.Bytes()) // an error means that the caller hung up
}

// Package backend calls the other services. There is one client per service; it
// declares only the fields that pages use, and every call has a deadline. Errors are
// the faults that the service meant, Unavailable when it does not answer.
package backend

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// PageTimeout is how long a page usually waits for all that it asks: it must be
// there within a second, whichever service is unavailable.
const PageTimeout = 850 * time.Millisecond

// writeTimeout bounds what a person started, unless a page waits longer: to give up on
// a vote or a sign-in early would leave them unsure of it.
const writeTimeout = 8 * time.Second

// uploadTimeout is writeTimeout for photos, which may have to wait for others.
const uploadTimeout = time.Minute

// SessionTimeout is how long a page that waits for pageTimeout in all waits to know
// who asks, so that there is time left for what comes after.
func SessionTimeout(pageTimeout time.Duration) time.Duration { return pageTimeout / 2 }

// URLs are the base URLs of the services.
type URLs struct{ Auth, Product, Recommendation string }

// Services are the clients. They are safe for concurrent use.
type Services struct {
	Auth           Auth
	Catalogue      Catalogue
	Recommendation Recommendation
	Live           *Live
	PageTimeout    time.Duration // of one page, in all
}

// New returns the clients. internalKey is what auth wants to see before it
// registers anybody; a page waits for pageTimeout at most. The options change how
// the services are reached.
func New(
	urls URLs, internalKey string, pageTimeout time.Duration, t *telemetry.Telemetry, options ...func(*http.Transport),
) Services {
	client := func(name, base string) client {
		direct := web.NewHTTPClient(max(writeTimeout, pageTimeout), t, options...)
		behind := *direct
		behind.Transport = newBreakers(name, direct.Transport, t.Log)
		patient := behind
		patient.Timeout = uploadTimeout
		return client{
			web.NewClient(name, base, &behind), web.NewClient(name, base, direct), web.NewClient(name, base, &patient),
			pageTimeout,
		}
	}
	return Services{
		Auth:           Auth{client("sign-in", urls.Auth), internalKey},
		Catalogue:      Catalogue{client("the catalogue", urls.Product)},
		Recommendation: Recommendation{client("the recommendation service", urls.Recommendation)},
		Live: &Live{
			base: strings.TrimSuffix(urls.Product, "/"), http: web.NewHTTPClient(0, t, options...), pageTimeout: pageTimeout,
			listeners: map[*listener]struct{}{}, renew: func() {},
		},
		PageTimeout: pageTimeout,
	}
}

// client calls one service.
type client struct {
	web         *web.Client // behind the breakers
	direct      *web.Client // without breakers, for questions about the service itself
	uploads     *web.Client // as web, and waits longer
	pageTimeout time.Duration
}

// read GETs path into out within the time of a page.
func (c client) read(ctx context.Context, path, bearer string, out any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, c.pageTimeout)
	defer cancel()
	return c.call(ctx, web.Request{Method: http.MethodGet, Path: path, Bearer: bearer}, out)
}

// get is read for a reply of one type.
func get[T any](ctx context.Context, c client, path, bearer string) (T, error) {
	var reply T
	_, err := c.read(ctx, path, bearer, &reply)
	return reply, err
}

// getPage is get for one page of a list, with the cursor of the page after it, ""
// after the last.
func getPage[T any](ctx context.Context, c client, path string, query url.Values, bearer string) (T, string, error) {
	var reply T
	header, err := c.read(ctx, path+"?"+query.Encode(), bearer, &reply)
	return reply, linkParam(header, "next", "cursor"), err
}

// linkParam finds the query's param of the Link (RFC 8288) whose relation is rel.
func linkParam(h http.Header, rel, param string) string {
	for link := range strings.SplitSeq(strings.Join(h.Values("Link"), ","), ",") {
		target, params, ok := strings.Cut(strings.TrimSpace(link), ">")
		if !ok || !strings.Contains(params, `rel="`+rel+`"`) {
			continue
		}
		if u, err := url.Parse(strings.TrimPrefix(target, "<")); err == nil {
			return u.Query().Get(param)
		}
	}
	return ""
}

// fetch is call for a reply of one type.
func fetch[T any](ctx context.Context, c client, req web.Request) (T, error) {
	var reply T
	_, err := c.call(ctx, req, &reply)
	return reply, err
}

// call makes the call. A service that fails inside cannot do its work now, which
// to the site is the same as a service that is unavailable.
func (c client) call(ctx context.Context, req web.Request, out any) (http.Header, error) {
	header, err := c.web.Do(ctx, req, out)
	if fault.KindOf(err) == fault.Internal {
		return header, fault.New(fault.Unavailable, "a service this needs is not working right now").Because(err)
	}
	return header, err
}

// do is call where the reply says nothing more.
func (c client) do(ctx context.Context, req web.Request) error {
	_, err := c.call(ctx, req, nil)
	return err
}

// Raw GETs a path and passes on the JSON as it came, with its headers, for
// scripts that know the service's own fields. bearer may be "".
func (c client) Raw(ctx context.Context, path, bearer string) (json.RawMessage, http.Header, error) {
	var reply json.RawMessage
	header, err := c.read(ctx, path, bearer, &reply)
	return reply, header, err
}

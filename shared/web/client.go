package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
)

// maxReply is the largest reply that is read, in bytes. More is an error, so that a
// service whose reply never ends costs no memory.
const maxReply = 4 << 20

// idleTimeout is how long a connection without a call stays open. It is shorter than half of DRAIN, so that a service
// that stops closes no connection on which a call may be on its way, see docs/decisions/0024.
const idleTimeout = 2 * time.Second

// Client calls one JSON service, with a span and a deadline for each call. It is
// safe for concurrent use.
type Client struct {
	name, base string
	http       *http.Client
}

// RawBody is a body that is sent or received unchanged, not as JSON.
type RawBody struct {
	MediaType string
	Bytes     []byte
}

// Request is one call. Method and Path are required; Path starts with a slash
// and may carry a query.
type Request struct {
	Method, Path string
	Bearer       string      // an access token; "" sends none
	Header       http.Header // more headers; may be nil
	Body         any         // sent as JSON, or unchanged if it is a RawBody; nil sends none
	ErrorBody    any         // a pointer, into which the JSON of an error reply is decoded; may be nil
}

// NewClient returns a client of the service, which name calls in error messages,
// at base ("http://localhost:8000"). It calls by client, such as one of
// NewHTTPClient, which sets the limits.
func NewClient(name, base string, client *http.Client) *Client {
	return &Client{name: name, base: strings.TrimSuffix(base, "/"), http: client}
}

// NewHTTPClient returns a traced client whose calls, from dialling to the last
// byte of the body, take at most timeout, and which reads at most 4 MiB of each. With
// a timeout of 0, for streams, there is neither limit. It follows no redirect, and
// closes a connection after 2 s without a call. The options change its transport.
func NewHTTPClient(timeout time.Duration, t *telemetry.Telemetry, options ...func(*http.Transport)) *http.Client {
	transport := newTransport(timeout)
	for _, change := range options {
		change(transport)
	}
	client := &http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport:     otelhttp.NewTransport(transport, instruments(t)...),
	}
	if timeout > 0 {
		client.Transport = bounded{client.Transport}
	}
	return client
}

func newTransport(timeout time.Duration) *http.Transport {
	return &http.Transport{
		DialContext:         (&net.Dialer{Timeout: min(timeout, 2*time.Second)}).DialContext,
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     idleTimeout,
	}
}

// bounded ends the body of each reply with an error after maxReply.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		res.Body = http.MaxBytesReader(nil, res.Body, maxReply)
	}
	return res, err
}

// Do makes the call, decodes the JSON reply into out, unless out is nil or a *RawBody,
// and returns the reply's headers, nil if there was no reply. An error reply becomes
// the fault that the service meant; a service that cannot be reached, or answers
// nonsense, is an Unavailable fault.
func (c *Client) Do(ctx context.Context, req Request, out any) (http.Header, error) {
	r, err := c.request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("build %s request to %s: %w", req.Method, c.name, err)
	}
	res, err := c.http.Do(r)
	if failed, ok := errors.AsType[*url.Error](err); ok {
		err = failed.Err // without the URL, whose query is not for the log
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "%s does not answer", c.name).Because(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return nil, fault.New(fault.Unavailable, "%s stopped answering", c.name).Because(err)
	case res.StatusCode >= 300:
		if req.ErrorBody != nil {
			_ = json.Unmarshal(body, req.ErrorBody) // the fault below says enough
		}
		return res.Header, c.fault(res, body)
	case out == nil:
		return res.Header, nil
	}
	if raw, ok := out.(*RawBody); ok {
		*raw = RawBody{res.Header.Get("Content-Type"), body}
		return res.Header, nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return res.Header, fault.New(fault.Unavailable, "%s sent an invalid answer", c.name).Because(err)
	}
	return res.Header, nil
}

func (c *Client) request(ctx context.Context, req Request) (*http.Request, error) {
	raw, isRaw := req.Body.(RawBody)
	if !isRaw && req.Body != nil {
		encoded, err := json.Marshal(req.Body)
		if err != nil {
			return nil, fmt.Errorf("encode body: %w", err)
		}
		raw = RawBody{"application/json", encoded}
	}
	r, err := http.NewRequestWithContext(ctx, req.Method, c.base+req.Path, bytes.NewReader(raw.Bytes))
	if err != nil {
		return nil, err
	}
	for name, values := range req.Header {
		r.Header[name] = values
	}
	if req.Body != nil {
		r.Header.Set("Content-Type", raw.MediaType)
	}
	if req.Bearer != "" {
		r.Header.Set("Authorization", "Bearer "+req.Bearer)
	}
	return r, nil
}

// fault rebuilds what the service meant from its problem details.
func (c *Client) fault(res *http.Response, body []byte) *fault.Error {
	var p problem
	if err := json.Unmarshal(body, &p); err != nil || p.Detail == "" {
		p = problem{Detail: c.name + " answered " + strconv.Itoa(res.StatusCode)}
	}
	f := &fault.Error{Kind: kindOf(res.StatusCode), Message: p.Detail, Fields: p.Errors}
	if _, code, ok := strings.Cut(res.Header.Get("WWW-Authenticate"), `error="`); ok {
		f.Code, _, _ = strings.Cut(code, `"`)
	}
	if seconds, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && seconds > 0 {
		f.RetryAfter = time.Duration(seconds) * time.Second
	}
	return f
}

package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/sony/gobreaker/v2"
)

// transport is a fake of the network.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// call sends "GET /path" through the breakers.
func call(ctx context.Context, t *testing.T, b *breakers, what string) error {
	t.Helper()
	method, path, _ := strings.Cut(what, " ")
	r, err := http.NewRequestWithContext(ctx, method, "http://service.example"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := b.RoundTrip(r)
	if err == nil {
		_ = res.Body.Close()
	}
	return err
}

func answered(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

// TestABreakerForEachOperation holds which calls are refused after two others got
// no answer.
func TestABreakerForEachOperation(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		failing [2]string
		next    string
		refused bool
	}{
		{[2]string{"GET /api/products?q=a", "GET /api/products?sort=name"}, "GET /api/products/1", false},
		{[2]string{"GET /api/products?q=a", "GET /api/products"}, "GET /api/products?q=b", true},
		{[2]string{"GET /api/products/1", "GET /api/products/2"}, "GET /api/products/34", true},
		{[2]string{"GET /api/products/1", "GET /api/products/1"}, "PUT /api/products/1", false},
		{[2]string{"POST /api/origamis/1/vote", "POST /api/origamis/2/vote"}, "POST /api/origamis/3/vote", true},
		{[2]string{"POST /api/origamis/1/vote", "POST /api/origamis/1/vote"}, "GET /api/origamis/1/votes", false},
		{[2]string{"GET /api/images/fox.svg", "GET /api/images/9a.png"}, "GET /api/images/crane", true},
	} {
		t.Run(c.failing[1]+" then "+c.next, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				working := false
				b := newBreakers("a service", transport(func(r *http.Request) (*http.Response, error) {
					if working {
						return answered(r)
					}
					return nil, io.EOF
				}), slog.New(slog.DiscardHandler))
				for _, failing := range c.failing {
					if err := call(t.Context(), t, b, failing); !errors.Is(err, io.EOF) {
						t.Errorf("%s: %v", failing, err)
					}
				}
				working = true
				if err := call(t.Context(), t, b, c.next); errors.Is(err, gobreaker.ErrOpenState) != c.refused {
					t.Errorf("%s: %v", c.next, err)
				}
				time.Sleep(openTimeout + 1) //nolint:forbidigo // the bubble's clock
				if err := call(t.Context(), t, b, c.failing[0]); err != nil {
					t.Errorf("after a while: %v", err)
				}
			})
		})
	}
}

// TestWhoDoesNotWaitTellsNothing: calls that their callers end, at any time or too
// soon for an answer, open no breaker; calls without an answer in time do.
func TestWhoDoesNotWaitTellsNothing(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hangUp, deadline time.Duration
		refused          bool
	}{
		"hung up":            {hangUp: 800 * time.Millisecond, deadline: time.Second},
		"too little time":    {hangUp: time.Hour, deadline: minTimeout - 1},
		"no answer":          {hangUp: time.Hour, deadline: PageTimeout, refused: true},
		"just enough of it":  {hangUp: time.Hour, deadline: minTimeout, refused: true},
		"hung up much later": {hangUp: time.Minute, deadline: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBreakers("a service", transport(func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				}), slog.New(slog.DiscardHandler))
				for range 3 * failureThreshold {
					ctx, cancel := context.WithTimeout(t.Context(), c.deadline)
					time.AfterFunc(c.hangUp, cancel)
					_ = call(ctx, t, b, "GET /api/products")
					cancel()
				}
				b.next = transport(answered)
				if err := call(t.Context(), t, b, "GET /api/products"); (err != nil) != c.refused {
					t.Errorf("then: %v", err)
				}
			})
		})
	}
}

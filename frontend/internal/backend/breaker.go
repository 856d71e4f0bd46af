package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// failureThreshold is how many calls in a row without an answer open the breaker.
	// One page often makes two; one alone may be a single slow address.
	failureThreshold = 2
	// openTimeout is how long it stays open before it is half-open.
	openTimeout = time.Second
	// halfOpenCalls are how many calls must be answered, and may be under way at most,
	// before it closes: more than a page makes, so that the first page after a failure
	// is whole.
	halfOpenCalls = 10
	// minTimeout is what a service gets to answer before a call without an answer
	// counts as a failure: a page with less time left tells nothing about the service.
	minTimeout = 300 * time.Millisecond
)

// breaker is the transport to one service: a retry where that is safe and may help,
// behind a circuit breaker, which refuses calls at once while the service gives no
// answer. An answer of any status is an answer: a service that says 503 to one
// question may have good answers to others.
type breaker struct {
	next    http.RoundTripper
	circuit *gobreaker.CircuitBreaker[*http.Response]
}

func newBreaker(service string, next http.RoundTripper, log *slog.Logger) breaker {
	settings := gobreaker.Settings{
		Name: service, MaxRequests: halfOpenCalls, Timeout: openTimeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failureThreshold },
		IsExcluded:  func(err error) bool { return errors.As(err, new(inconclusive)) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("service does not answer, circuit breaker is open", slog.String("service", service))
			case to == gobreaker.StateClosed:
				log.Info("service answers, circuit breaker is closed", slog.String("service", service))
			}
		},
	}
	return breaker{next, gobreaker.NewCircuitBreaker[*http.Response](settings)} //nolint:bodyclose // the caller's part
}

// inconclusive is the error of a call that the caller ended before it says anything
// about the service.
type inconclusive struct{ error }

func (e inconclusive) Unwrap() error { return e.error }

// RoundTrip implements http.RoundTripper.
func (b breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := b.circuit.Execute(func() (*http.Response, error) {
		start := time.Now()
		res, err := b.retry(r)
		tooSoon := errors.Is(err, context.DeadlineExceeded) && time.Since(start) < minTimeout
		if errors.Is(err, context.Canceled) || tooSoon {
			err = inconclusive{err}
		}
		return res, err
	})
	if r.Body != nil && (errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)) {
		_ = r.Body.Close() // nothing was read of it
	}
	return res, err
}

// retry makes the call, and once more if that is safe and another replica or
// another attempt may have the answer. A deadline is not extended.
func (b breaker) retry(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	if r.Context().Err() != nil || !retryable(res, err) {
		return res, err
	}
	again := repeat(r)
	if again == nil {
		return res, err
	}
	if res != nil {
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
		_ = res.Body.Close()
	}
	return b.next.RoundTrip(again)
}

// repeat is the request to send a second time, nil if that is not safe: it is for a
// GET, and for a request with an idempotency key.
func repeat(r *http.Request) *http.Request {
	if r.Method == http.MethodGet {
		return r
	}
	if r.Header.Get(KeyField) == "" || r.GetBody == nil {
		return nil
	}
	body, err := r.GetBody()
	if err != nil {
		return nil
	}
	r = r.Clone(r.Context())
	r.Body = body
	return r
}

// retryable reports whether a second call may succeed: the connection failed, other
// than by a timeout, or a proxy had no service to ask. A service that names a time
// to come back has answered.
func retryable(res *http.Response, err error) bool {
	if err != nil {
		var network net.Error
		return !errors.As(err, &network) || !network.Timeout()
	}
	switch res.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return res.Header.Get("Retry-After") == ""
	default:
		return false
	}
}

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
	// tries are the calls in a row without an answer after which a service is left
	// alone. One page often makes two; one alone may be a single slow address.
	tries = 2
	// rest is how long it is left alone before the next call is let through.
	rest = time.Second
	// probation is how many calls must be answered, and may be under way at most,
	// before all are let through again: more than a page makes, so that the first
	// page after a failure is whole.
	probation = 10
	// patience is what a service gets to answer before silence counts against it: a
	// page with less time left gives up without a word on who is to blame.
	patience = 300 * time.Millisecond
)

// guard is the way to one service. It asks again where that is safe and may help,
// and while the service gives no answer it refuses calls at once instead of
// having each wait. An answer of any status is an answer: a service that says 503
// to one question may have good answers to others.
type guard struct {
	next    http.RoundTripper
	breaker *gobreaker.CircuitBreaker[*http.Response]
}

func newGuard(service string, next http.RoundTripper, log *slog.Logger) guard {
	return guard{next, gobreaker.NewCircuitBreaker[*http.Response](gobreaker.Settings{ //nolint:bodyclose // who called closes it
		Name: service, MaxRequests: probation, Timeout: rest,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= tries },
		IsExcluded:  func(err error) bool { return errors.As(err, new(unheard)) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("service does not answer, it is left alone for a moment", slog.String("service", service))
			case to == gobreaker.StateClosed:
				log.Info("service answers again", slog.String("service", service))
			}
		},
	})}
}

// unheard is the error of a call that the caller ended before it tells anything
// about the service.
type unheard struct{ error }

func (u unheard) Unwrap() error { return u.error }

// RoundTrip implements http.RoundTripper.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := g.breaker.Execute(func() (*http.Response, error) {
		start := time.Now()
		res, err := g.ask(r)
		if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) && time.Since(start) < patience {
			err = unheard{err}
		}
		return res, err
	})
	if r.Body != nil && (errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests)) {
		_ = r.Body.Close() // nothing was read of it
	}
	return res, err
}

// ask makes the call, and one that does no harm twice once more, where another
// replica or another moment may have the answer. Time that is up stays up.
func (g guard) ask(r *http.Request) (*http.Response, error) {
	res, err := g.next.RoundTrip(r)
	if r.Context().Err() != nil || !worthAnother(res, err) {
		return res, err
	}
	again := again(r)
	if again == nil {
		return res, err
	}
	if res != nil {
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
		_ = res.Body.Close()
	}
	return g.next.RoundTrip(again)
}

// again is a call that may be made twice, to be made the second time: a GET, or
// one with a key by which the service knows it. It is nil for others.
func again(r *http.Request) *http.Request {
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

// worthAnother reports whether a second call may fare better: the connection
// failed, other than by taking too long, or a proxy found nobody to answer. A
// service that names a time to come back has answered.
func worthAnother(res *http.Response, err error) bool {
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

package backend

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"sync"
	"time"

	"github.com/sony/gobreaker/v2"
)

const (
	// failureThreshold is how many calls in a row without an answer open a breaker.
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

// breakers are the transport to one service: a retry where that is safe and may help,
// behind a circuit breaker for each operation, which refuses calls at once while there
// is no answer to that operation. Slow lists say nothing about a product by its id. An
// answer of any status is an answer.
type breakers struct {
	service string
	next    http.RoundTripper
	log     *slog.Logger

	mu          sync.Mutex // guards byOperation
	byOperation map[string]*gobreaker.TwoStepCircuitBreaker[any]
}

func newBreakers(service string, next http.RoundTripper, log *slog.Logger) *breakers {
	return &breakers{
		service: service, next: next, log: log, byOperation: map[string]*gobreaker.TwoStepCircuitBreaker[any]{},
	}
}

// errInconclusive stands for a call that the caller ended before it says anything
// about the service.
var errInconclusive = errors.New("the caller did not wait")

// RoundTrip implements http.RoundTripper.
func (b *breakers) RoundTrip(r *http.Request) (*http.Response, error) {
	done, err := b.breaker(operation(r)).Allow()
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // nothing was read of it
		}
		return nil, err
	}
	start := time.Now()
	res, err := b.retry(r)
	tooSoon := errors.Is(err, context.DeadlineExceeded) && time.Since(start) < minTimeout
	if errors.Is(err, context.Canceled) || tooSoon {
		done(errInconclusive)
	} else {
		done(err)
	}
	return res, err
}

// variable are the parts of the services' paths that are not the operation's own. All
// must be here: each other path is a breaker that is stored for good.
var variable = regexp.MustCompile(`/images/.+|/-?[0-9]+`)

// operation is the method and the route of a call.
func operation(r *http.Request) string {
	return r.Method + " " + variable.ReplaceAllString(r.URL.Path, "/{}")
}

func (b *breakers) breaker(operation string) *gobreaker.TwoStepCircuitBreaker[any] {
	b.mu.Lock()
	defer b.mu.Unlock()
	if breaker := b.byOperation[operation]; breaker != nil {
		return breaker
	}
	log := b.log.With(slog.String("backend", b.service), slog.String("operation", operation))
	breaker := gobreaker.NewTwoStepCircuitBreaker[any](gobreaker.Settings{
		MaxRequests: halfOpenCalls, Timeout: openTimeout,
		ReadyToTrip: func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failureThreshold },
		IsExcluded:  func(err error) bool { return errors.Is(err, errInconclusive) },
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				log.Warn("service does not answer, circuit breaker is open")
			case to == gobreaker.StateClosed:
				log.Info("service answers, circuit breaker is closed")
			}
		},
	})
	b.byOperation[operation] = breaker
	return breaker
}

// retry makes the call, and once more if that is safe, for a GET and for a request
// with an idempotency key, and another replica or another attempt may have the
// answer. A deadline is not extended.
func (b *breakers) retry(r *http.Request) (*http.Response, error) {
	res, err := b.next.RoundTrip(r)
	safe := r.Method == http.MethodGet || r.Header.Get(KeyField) != ""
	if !safe || r.Context().Err() != nil || !retryable(res, err) {
		return res, err
	}
	if res != nil {
		_, _ = io.CopyN(io.Discard, res.Body, 4<<10) // so that the connection can be used again
		_ = res.Body.Close()
	}
	again := r.Clone(r.Context())
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return b.next.RoundTrip(again)
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

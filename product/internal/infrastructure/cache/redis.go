package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	redisinfra "craftista/product/internal/infrastructure/redis"
	"craftista/shared/telemetry"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/sony/gobreaker/v2"
)

const (
	failureThreshold = 3                      // failures in a row open the circuit breaker
	openTimeout      = 500 * time.Millisecond // then one command may try again
)

// server is one Redis behind a circuit breaker: a Redis that is dead or does not
// respond costs its timeout to the few readers who find out, and to one in every
// openTimeout after that. It is safe for concurrent use.
type server struct {
	client  *redis.Client
	timeout time.Duration // of one command
	breaker *gobreaker.CircuitBreaker[struct{}]
	run     atomic.Pointer[string] // the id of Redis's run; nil before the first connection
}

func openServer(url string, timeout time.Duration, t *telemetry.Telemetry) (*server, error) {
	o, err := redisinfra.Options(url, timeout)
	if err != nil {
		return nil, err
	}
	s := &server{timeout: timeout, breaker: newBreaker(t)}
	o.OnConnect = s.identify
	s.client = redis.NewClient(o)
	logging.Disable() // its log is the process's, and has a line for each failed dial; the breaker's has one
	err = errors.Join(
		redisotel.InstrumentTracing(s.client, redisotel.WithTracerProvider(t.Traces),
			redisotel.WithDBStatement(false), redisotel.WithCallerEnabled(false), redisotel.WithDialFilter(true),
			redisotel.WithCommandFilter(ofConnection)),
		redisotel.InstrumentMetrics(s.client, redisotel.WithMeterProvider(t.Metrics)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instrument Redis client: %w", err), s.client.Close())
	}
	return s, nil
}

// ofConnection reports whether a command is about the connection, not for a
// reader: those are no spans.
func ofConnection(c redis.Cmder) bool {
	switch c.Name() {
	case "hello", "auth", "select", "info", "ping":
		return true
	default:
		return false
	}
}

func newBreaker(t *telemetry.Telemetry) *gobreaker.CircuitBreaker[struct{}] {
	return gobreaker.NewCircuitBreaker[struct{}](gobreaker.Settings{
		Name: "redis", MaxRequests: 1, Timeout: openTimeout,
		ReadyToTrip:  func(c gobreaker.Counts) bool { return c.ConsecutiveFailures >= failureThreshold },
		IsSuccessful: answered,
		OnStateChange: func(_ string, from, to gobreaker.State) {
			switch {
			case from == gobreaker.StateClosed:
				t.Log.Warn("cache unavailable, serving from the database")
			case to == gobreaker.StateClosed:
				t.Log.Info("cache available again")
			}
		},
	})
}

// do sends a command unless the breaker is open. It goes on when the caller hangs
// up: the answer has to be read before the next, and an invalidation must be
// made.
func (s *server) do(ctx context.Context, command func(context.Context) error) error {
	_, err := s.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.timeout)
		defer cancel()
		return struct{}{}, command(ctx)
	})
	return err
}

// answered reports whether Redis itself gave the error, or there is none.
func answered(err error) bool {
	var reply redis.Error
	return err == nil || errors.As(err, &reply)
}

// identify reads the id of Redis's run, which changes with every start, over a
// new connection, before any other command goes over it. If another connection
// read a new one meanwhile, nobody can say which is the newer, so it asks again.
// Redis in memory (miniredis) has no such id, and no old entries to start with.
func (s *server) identify(ctx context.Context, c *redis.Conn) error {
	for {
		known := s.run.Load()
		info, err := c.Info(ctx, "server").Result()
		if !answered(err) {
			return fmt.Errorf("ask Redis for its run: %w", err)
		}
		_, run, _ := strings.Cut(info, "run_id:")
		run, _, _ = strings.Cut(run, "\r\n")
		if known != nil && *known == run || s.run.CompareAndSwap(known, &run) {
			return nil
		}
	}
}

package cache

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"craftista/product/internal/infrastructure/redisclient"
	"craftista/shared/telemetry"

	"github.com/redis/go-redis/extra/redisotel/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/sony/gobreaker/v2"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/semconv/v1.37.0/dbconv"
)

const (
	failureThreshold = 3                      // failures in a row open the circuit breaker
	openTimeout      = 500 * time.Millisecond // then one command may try again
)

// redisClient sends commands to one Redis through a circuit breaker: if Redis does
// not respond, only the commands that open the breaker wait for the timeout, and
// after that one in every openTimeout. It is safe for concurrent use.
type redisClient struct {
	client  *redis.Client
	timeout time.Duration // of one command
	breaker *gobreaker.CircuitBreaker[struct{}]
	runID   atomic.Pointer[string] // Redis has a new one after each start; nil before the first connection

	duration dbconv.ClientOperationDuration
	measured attribute.Set // of a command that Redis answered
}

func openRedis(url string, timeout time.Duration, t *telemetry.Telemetry) (*redisClient, error) {
	o, err := redisclient.Options(url, timeout)
	if err != nil {
		return nil, err
	}
	duration, err := dbconv.NewClientOperationDuration(t.Metrics.Meter("craftista/product"),
		metric.WithExplicitBucketBoundaries(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10)) // as the conventions say
	if err != nil {
		return nil, fmt.Errorf("make metric: %w", err)
	}
	c := &redisClient{timeout: timeout, breaker: newBreaker(t), duration: duration}
	c.measured = attribute.NewSet(semconv.DBSystemNameRedis)
	o.OnConnect = c.readRunID
	c.client = redis.NewClient(o)
	logging.Disable() // of each failed dial; the breaker logs once
	err = errors.Join(
		redisotel.InstrumentTracing(c.client, redisotel.WithTracerProvider(t.Traces), redisotel.WithDBStatement(false),
			redisotel.WithAttributes(semconv.DBSystemNameRedis), redisotel.WithCallerEnabled(false),
			redisotel.WithDialFilter(true), redisotel.WithCommandFilter(isConnectionCommand)),
		redisotel.InstrumentMetrics(c.client, redisotel.WithMeterProvider(t.Metrics),
			redisotel.WithSemConvCompliantMetrics(true)))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("instrument Redis client: %w", err), c.client.Close())
	}
	return c, nil
}

// isConnectionCommand reports whether a command only sets up or checks the
// connection. Such commands make no spans.
func isConnectionCommand(command redis.Cmder) bool {
	switch command.Name() {
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

// do sends a command unless the breaker is open. A cancelled ctx does not interrupt
// it: an interrupted command would cost the connection, and an invalidation must be
// made. It takes timeout at most.
func (c *redisClient) do(ctx context.Context, command func(context.Context) error) error {
	_, err := c.breaker.Execute(func() (struct{}, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
		defer cancel()
		start := time.Now()
		err := command(ctx)
		attributes := c.measured
		if !answered(err) {
			attributes = attribute.NewSet(semconv.DBSystemNameRedis, semconv.ErrorType(err))
		}
		c.duration.RecordSet(ctx, time.Since(start).Seconds(), attributes)
		return struct{}{}, err
	})
	return err
}

// answered reports whether Redis responded, be it with an error.
func answered(err error) bool {
	var reply redis.Error
	return err == nil || errors.As(err, &reply)
}

// readRunID reads the id of Redis's run over each new connection, before any other
// command. If another connection has stored a different id meanwhile, it cannot know
// which is newer, and reads again. miniredis has no run id: it always starts empty,
// so that it needs none.
func (c *redisClient) readRunID(ctx context.Context, connection *redis.Conn) error {
	for {
		known := c.runID.Load()
		info, err := connection.Info(ctx, "server").Result()
		if !answered(err) {
			return fmt.Errorf("read run id of Redis: %w", err)
		}
		_, runID, _ := strings.Cut(info, "run_id:")
		runID, _, _ = strings.Cut(runID, "\r\n")
		if known != nil && *known == runID || c.runID.CompareAndSwap(known, &runID) {
			return nil
		}
	}
}

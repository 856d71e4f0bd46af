package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"craftista/shared/telemetry"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
	"go.opentelemetry.io/otel/semconv/v1.37.0/dbconv"
	"go.opentelemetry.io/otel/trace"
)

const scope = "craftista/product/redis"

// observer makes a span and a measure of each command, after OpenTelemetry's
// semantic conventions for Redis. It never shows a command's arguments, which
// would be whole pieces. It is redisotel's work cut to that: redisotel builds and
// sorts the same attributes anew for each command, which costs more than a third
// of what the command does, and it still does where nothing is recorded.
type observer struct {
	tracer   trace.Tracer
	duration metric.Float64Histogram
	client   []trace.SpanStartOption // the kind of spans
	server   []attribute.KeyValue
	kinds    sync.Map // name of a command to *kind; there are few names
}

// kind is what all commands of one name share.
type kind struct {
	attributes []attribute.KeyValue
	done       metric.MeasurementOption
}

// instrument has the client's commands and connections observed.
func instrument(client *redis.Client, t *telemetry.Telemetry) error {
	meter := t.Metrics.Meter(scope)
	duration, err := dbconv.NewClientOperationDuration(meter,
		metric.WithExplicitBucketBoundaries(0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05, 0.1, 0.5, 1))
	if err != nil {
		return fmt.Errorf("make measure of commands: %w", err)
	}
	o := &observer{
		tracer: t.Traces.Tracer(scope), duration: duration.Inst(),
		client: []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindClient)}, server: []attribute.KeyValue{semconv.DBSystemNameRedis},
	}
	if host, port, err := net.SplitHostPort(client.Options().Addr); err == nil {
		number, _ := strconv.Atoi(port)
		o.server = append(o.server, semconv.ServerAddress(host), semconv.ServerPort(number))
	}
	client.AddHook(o)
	return watchPool(client, meter)
}

// watchPool measures the client's connections.
func watchPool(client *redis.Client, meter metric.Meter) error {
	count, err := meter.Int64ObservableUpDownCounter(dbconv.ClientConnectionCount{}.Name(), metric.WithUnit("{connection}"))
	if err != nil {
		return fmt.Errorf("make measure of connections: %w", err)
	}
	timeouts, err := meter.Int64ObservableCounter(dbconv.ClientConnectionTimeouts{}.Name(), metric.WithUnit("{timeout}"))
	if err != nil {
		return fmt.Errorf("make measure of timeouts: %w", err)
	}
	idle, used := metric.WithAttributes(semconv.DBClientConnectionStateIdle), metric.WithAttributes(semconv.DBClientConnectionStateUsed)
	_, err = meter.RegisterCallback(func(_ context.Context, m metric.Observer) error {
		pool := client.PoolStats()
		m.ObserveInt64(count, int64(pool.IdleConns), idle)
		m.ObserveInt64(count, int64(pool.TotalConns)-int64(pool.IdleConns), used)
		m.ObserveInt64(timeouts, int64(pool.Timeouts))
		return nil
	}, count, timeouts)
	if err != nil {
		return fmt.Errorf("watch connections: %w", err)
	}
	return nil
}

// DialHook implements redis.Hook.
func (o *observer) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		var conn net.Conn
		err := o.observe(ctx, "dial", func(ctx context.Context) (err error) {
			conn, err = next(ctx, network, addr)
			return err
		})
		return conn, err
	}
}

// ProcessHook implements redis.Hook.
func (o *observer) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		return o.observe(ctx, cmd.Name(), func(ctx context.Context) error { return next(ctx, cmd) })
	}
}

// ProcessPipelineHook implements redis.Hook.
func (o *observer) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		return o.observe(ctx, "pipeline", func(ctx context.Context) error { return next(ctx, cmds) })
	}
}

// observe runs one command. A request that is not traced has no spans here
// either.
func (o *observer) observe(ctx context.Context, name string, run func(context.Context) error) error {
	parent := trace.SpanFromContext(ctx)
	traced := parent.IsRecording() || !parent.SpanContext().IsValid() || parent.SpanContext().IsRemote()
	measured := o.duration.Enabled(ctx)
	if !traced && !measured {
		return run(ctx)
	}
	k, start := o.kind(name), time.Now()
	span := parent
	if traced {
		ctx, span = o.tracer.Start(ctx, name, o.client...)
		span.SetAttributes(k.attributes...) // which as an option to Start would be copied twice
		defer span.End()
	}
	err := run(ctx)
	if traced && err != nil && !errors.Is(err, redis.Nil) { // that a key is not there is an answer
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
	}
	if measured {
		o.duration.Record(ctx, time.Since(start).Seconds(), k.done)
	}
	return err
}

func (o *observer) kind(name string) *kind {
	if k, ok := o.kinds.Load(name); ok {
		return k.(*kind)
	}
	attributes := append([]attribute.KeyValue{semconv.DBOperationName(name)}, o.server...)
	k, _ := o.kinds.LoadOrStore(name, &kind{attributes: attributes, done: metric.WithAttributeSet(attribute.NewSet(attributes...))})
	return k.(*kind)
}

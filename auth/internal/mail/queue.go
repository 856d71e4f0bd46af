package mail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
)

const (
	workers      = 4
	capacity     = 1000            // jobs that wait; more are refused
	drainTimeout = 5 * time.Second // of Close
)

// Sender sends one mail. ErrRefused, wrapped, means that it is in vain to try again.
type Sender interface {
	Send(ctx context.Context, m Mail) error
}

// SkipError is the error of a job that found out that there is nothing to send, and its outcome for the metric.
type SkipError string

func (s SkipError) Error() string { return string(s) }

// Write writes a mail, outside the request that asked for it.
type Write func(ctx context.Context) (Mail, error)

// Queue writes and sends mails after the answers to the requests that asked for them, so that neither a slow mail
// server nor the work for a known address shows in the time of an answer. What waits when the process is killed is
// lost, and people ask again. It is safe for concurrent use.
type Queue struct {
	Site string // the site's URL, without a slash behind it, for links

	sender   Sender
	pauses   []time.Duration // before each further attempt
	jobs     chan job
	stopping chan struct{}
	running  sync.WaitGroup
	cancel   context.CancelFunc
	tracer   trace.Tracer
	sent     metric.Int64Counter
	log      *slog.Logger
}

type job struct {
	span  trace.SpanContext // of the request
	kind  string
	write Write
}

// NewQueue starts a queue to sender, with links to site. A nil sender sends nothing: see Enqueue. A mail that could
// not be sent is tried again after each of the pauses. Close it in the end.
func NewQueue(sender Sender, site string, pauses []time.Duration, t *telemetry.Telemetry) *Queue {
	ctx, cancel := context.WithCancel(context.Background())
	q := &Queue{
		Site: site, sender: sender, pauses: pauses, jobs: make(chan job, capacity), stopping: make(chan struct{}),
		cancel: cancel, tracer: t.Traces.Tracer("craftista/auth"), log: t.Log,
		sent: t.Counter("craftista.mails", "{mail}", "Mails that were asked for."),
	}
	for range workers {
		q.running.Go(func() { q.work(ctx) })
	}
	return q
}

// Enqueue has a mail of the kind, of which there are few, written and sent soon. It does not wait. Without a sender,
// and while too many mails wait, it is an Unavailable fault.
func (q *Queue) Enqueue(ctx context.Context, kind string, write Write) error {
	if q.sender == nil {
		return fault.New(fault.Unavailable, "this installation sends no mail")
	}
	select {
	case q.jobs <- job{trace.SpanContextFromContext(ctx), kind, write}:
		return nil
	default:
		return &fault.Error{
			Kind: fault.Unavailable, RetryAfter: time.Minute, Message: "too many mails wait to be sent, try again shortly",
		}
	}
}

// Close sends what waits, once each and for 5 s at most, and ends the queue.
func (q *Queue) Close() error {
	close(q.stopping)
	defer time.AfterFunc(drainTimeout, q.cancel).Stop()
	q.running.Wait()
	q.cancel()
	return nil
}

// work does jobs until the queue is closed and empty.
func (q *Queue) work(ctx context.Context) {
	for {
		select {
		case j := <-q.jobs:
			q.do(ctx, j)
			continue
		case <-q.stopping:
		}
		select {
		case j := <-q.jobs:
			q.do(ctx, j)
		default:
			return
		}
	}
}

// do does a job in the trace of its request.
func (q *Queue) do(ctx context.Context, j job) {
	ctx, span := q.tracer.Start(trace.ContextWithSpanContext(ctx, j.span), "send mail",
		trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(attribute.String("craftista.mail.kind", j.kind)))
	defer span.End()
	outcome := "sent"
	m, err := j.write(ctx)
	if err == nil {
		err = q.send(ctx, m)
	}
	if skipped, ok := errors.AsType[SkipError](err); ok {
		outcome = string(skipped)
		q.log.InfoContext(ctx, "mail skipped", "kind", j.kind, "outcome", outcome)
	} else if err != nil {
		outcome = "failed"
		span.SetStatus(codes.Error, err.Error())
		q.log.ErrorContext(ctx, "mail was not sent", "kind", j.kind, "error", err)
	}
	span.SetAttributes(attribute.String("outcome", outcome))
	q.sent.Add(ctx, 1, metric.WithAttributeSet(attribute.NewSet(
		attribute.String("kind", j.kind), attribute.String("outcome", outcome))))
}

// send tries until the mail is sent, refused for good, or there is no further attempt.
func (q *Queue) send(ctx context.Context, m Mail) error {
	err := q.sender.Send(ctx, m)
	for _, pause := range q.pauses {
		if err == nil || errors.Is(err, ErrRefused) {
			return err
		}
		select {
		case <-q.stopping:
			return err
		case <-time.After(pause):
		}
		err = q.sender.Send(ctx, m)
	}
	return err
}

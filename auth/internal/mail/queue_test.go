package mail_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/mail"
	"craftista/shared/fault"
	"craftista/shared/telemetry"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// server is a Sender that answers the attempts in turn, and then with success.
type server struct {
	mu      sync.Mutex // guards the rest
	answers []error
	got     []string // recipients, of each attempt
}

func (s *server) Send(_ context.Context, m mail.Mail) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.got = append(s.got, m.To)
	if len(s.answers) == 0 {
		return nil
	}
	err := s.answers[0]
	s.answers = s.answers[1:]
	return err
}

func to(address string) mail.Write {
	return func(context.Context) (mail.Mail, error) { return mail.Mail{To: address}, nil }
}

func TestMailsAreTriedAgain(t *testing.T) {
	t.Parallel()
	busy := errors.New("try later")
	refused := fmt.Errorf("%w: no such mailbox", mail.ErrRefused)
	for name, row := range map[string]struct {
		answers  []error
		attempts int
		failed   bool
	}{
		"at once":            {attempts: 1},
		"the third time":     {answers: []error{busy, busy}, attempts: 3},
		"never":              {answers: []error{busy, busy, busy}, attempts: 3, failed: true},
		"refused for good":   {answers: []error{refused}, attempts: 1, failed: true},
		"refused the second": {answers: []error{busy, refused}, attempts: 2, failed: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var logs bytes.Buffer
				tel, reader := telemetryOf(t, &logs, nil)
				s := &server{answers: row.answers}
				q := mail.NewQueue(s, "", []time.Duration{time.Second, time.Minute}, tel)
				if err := q.Enqueue(t.Context(), "reset", to("crane@example.com")); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Hour) //nolint:forbidigo // of the bubble's clock
				if err := q.Close(); err != nil || len(s.got) != row.attempts {
					t.Errorf("%d attempts, %v, want %d", len(s.got), err, row.attempts)
				}
				want := map[bool]string{true: "reset failed", false: "reset sent"}[row.failed]
				if got := counted(t, reader); got != want {
					t.Errorf("counted %q, want %q", got, want)
				}
				if failed := strings.Contains(logs.String(), "mail was not sent"); failed != row.failed {
					t.Errorf("the log is %q", logs.String())
				}
			})
		})
	}
}

// telemetryOf has a log, and a reader of its metrics.
func telemetryOf(t *testing.T, logs *bytes.Buffer, spans *tracetest.InMemoryExporter) (
	*telemetry.Telemetry, *sdkmetric.ManualReader,
) {
	t.Helper()
	reader := sdkmetric.NewManualReader()
	o := telemetry.Options{Log: slog.NewJSONHandler(logs, nil), Reader: reader}
	if spans != nil {
		o.Exporter = spans
	}
	tel, err := telemetry.New(t.Context(), "auth", "test", o)
	if err != nil {
		t.Fatal(err)
	}
	return tel, reader
}

// counted is the kind and the outcome of the one mail that was counted.
func counted(t *testing.T, reader *sdkmetric.ManualReader) string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := reader.Collect(context.WithoutCancel(t.Context()), &all); err != nil {
		t.Fatal(err)
	}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			if sum, ok := m.Data.(metricdata.Sum[int64]); ok && m.Name == "craftista.mails" && len(sum.DataPoints) == 1 {
				kind, _ := sum.DataPoints[0].Attributes.Value("kind")
				outcome, _ := sum.DataPoints[0].Attributes.Value("outcome")
				return kind.AsString() + " " + outcome.AsString()
			}
		}
	}
	return ""
}

// TestCloseSendsWhatWaits, once each, though the server is out of order for some.
func TestCloseSendsWhatWaits(t *testing.T) {
	t.Parallel()
	s := &server{answers: []error{errors.New("busy")}}
	q := mail.NewQueue(s, "", []time.Duration{time.Hour}, telemetry.Discard())
	const mails = 50
	for i := range mails {
		if err := q.Enqueue(t.Context(), "reset", to(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.Close(); err != nil || len(s.got) != mails {
		t.Errorf("%d mails were tried, %v, want %d", len(s.got), err, mails)
	}
}

func TestAFullQueueRefuses(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	q := mail.NewQueue(&server{}, "", nil, telemetry.Discard())
	defer func() { _ = q.Close() }() // never fails
	defer close(release)
	stuck := func(context.Context) (mail.Mail, error) {
		<-release
		return mail.Mail{}, mail.SkipError("unknown")
	}
	var err error
	for range 2000 {
		if err = q.Enqueue(t.Context(), "reset", stuck); err != nil {
			break
		}
	}
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v, want an Unavailable fault", err)
	}
}

// TestAMailIsAStepOfItsRequestsTrace, and shows neither address nor link.
func TestAMailIsAStepOfItsRequestsTrace(t *testing.T) {
	t.Parallel()
	var logs bytes.Buffer
	spans := tracetest.NewInMemoryExporter()
	tel, _ := telemetryOf(t, &logs, spans)
	q := mail.NewQueue(&server{answers: []error{mail.ErrRefused}}, "https://site.example", nil, tel)
	ctx, request := tel.Traces.Tracer("test").Start(t.Context(), "POST /api/auth/password/forgot")
	request.End()
	err := q.Enqueue(ctx, "reset", func(context.Context) (mail.Mail, error) {
		return q.Reset("crane@example.com", "Crane", "the-token"), nil
	})
	if err = errors.Join(err, q.Close()); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()
	if len(got) != 2 || got[1].Name != "send mail" || got[1].SpanContext.TraceID() != got[0].SpanContext.TraceID() {
		t.Fatalf("spans %+v", got)
	}
	for _, secret := range []string{"example.com", "the-token"} {
		if strings.Contains(fmt.Sprint(got), secret) || strings.Contains(logs.String(), secret) {
			t.Errorf("%s is in the trace or the log: %s", secret, logs.String())
		}
	}
}

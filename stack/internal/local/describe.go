package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"craftista/db"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// describe tells where everything is.
func (s *Stack) describe(out io.Writer, c Config, took time.Duration) {
	t := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\n", args...) }
	line("\nCraftista is ready after %.1f s. Open %s\n", took.Seconds(), s.URLs["frontend"])
	for _, row := range []struct{ name, what string }{
		{"frontend", "the gallery"},
		{"product", "catalogue and votes, /docs"},
		{"recommendation", "piece of the day and picks, /docs"},
		{"auth", "people and tokens, /docs"},
		{"traces", "every request, step by step"},
	} {
		if url, ok := s.URLs[row.name]; ok {
			line("  %s\t%s\t%s", row.name, url, row.what)
		}
	}
	if c.Seed {
		line("\n  sign in as\twith the password")
		for _, a := range db.DemoAccounts() {
			line("  %s\t%s\t(%s)", a.Username, a.Password, a.Role)
		}
	}
	line("\nCtrl-C stops everything.")
	_ = t.Flush() // a terminal that is gone is no reason to stop
}

// tee exports to both; second may be nil.
func tee(first, second sdktrace.SpanExporter) sdktrace.SpanExporter {
	if second == nil {
		return first
	}
	return both{first, second}
}

type both [2]sdktrace.SpanExporter

// ExportSpans implements sdktrace.SpanExporter.
func (b both) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	return errors.Join(b[0].ExportSpans(ctx, spans), b[1].ExportSpans(ctx, spans))
}

// Shutdown implements sdktrace.SpanExporter.
func (b both) Shutdown(ctx context.Context) error {
	return errors.Join(b[0].Shutdown(ctx), b[1].Shutdown(ctx))
}

// Package flat measures how much slower a million products are than two dozen:
// the same requests, in turns, to two running stacks on one PostgreSQL.
package flat

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"craftista/db"
)

// The bounds of a large catalogue: of each kind of search and of picks, how long it
// takes; of all else, how many times the median of the small one.
const (
	searchMedian = 45 * time.Millisecond
	searchP99    = 150 * time.Millisecond
	picksMedian  = 20 * time.Millisecond
	picksP99     = 50 * time.Millisecond
	maxGrowth    = 2.0
)

// BenchmarkFlat prints a table of operations. FLAT_PRODUCTS, FLAT_VOTES and
// FLAT_SAMPLES make it smaller for a quick try; FLAT_DATABASE, the URL of a
// superuser on a database that was filled before, saves to fill one.
// FLAT_OPERATIONS=picks leaves out all whose names do not begin so.
func BenchmarkFlat(b *testing.B) {
	large := db.Amounts{Products: setting(b, "FLAT_PRODUCTS", 1_000_000), Votes: setting(b, "FLAT_VOTES", 10_000_000)}
	samples := int(setting(b, "FLAT_SAMPLES", 300))
	few, many := start(b, db.Amounts{}), start(b, large)
	var rows []row
	for _, o := range operations() {
		if !strings.HasPrefix(o.name, os.Getenv("FLAT_OPERATIONS")) {
			continue
		}
		r := row{name: o.name}
		doFew, doMany := o.prepare(b, few), o.prepare(b, many)
		for n := range samples {
			r.few = append(r.few, doFew(b, n))
			r.many = append(r.many, doMany(b, n))
		}
		rows = append(rows, r)
	}
	b.ReportMetric(0, "ns/op") // the table says more
	if all := together("search", rows); all.many != nil {
		rows = append(rows, all)
	}
	report(os.Stdout, large, rows)
}

// row is what was measured of one operation.
type row struct {
	name      string
	few, many []time.Duration
}

// together are all rows of an operation as one: each kind of search as often as
// the others.
func together(operation string, rows []row) row {
	all := row{name: operation + ", all of these"}
	for _, r := range rows {
		if strings.HasPrefix(r.name, operation) {
			all.few, all.many = append(all.few, r.few...), append(all.many, r.many...)
		}
	}
	return all
}

func report(out io.Writer, large db.Amounts, rows []row) {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(t, format+"\t\n", args...) }
	line("\noperation\t24 products: median\tp99\t%d products: median\tp99\tgrowth\tbound\t", large.Products)
	for _, r := range rows {
		bound, verdict := r.judge()
		line("%s\t%s\t%s\t%s\t%s\t%.2f\t%s\t%s", r.name, ms(quantile(r.few, 0.5)), ms(quantile(r.few, 0.99)),
			ms(quantile(r.many, 0.5)), ms(quantile(r.many, 0.99)), r.growth(), bound, verdict)
	}
	_ = t.Flush() // a terminal that was closed is no reason to fail
}

func (r row) growth() float64 { return float64(quantile(r.many, 0.5)) / float64(quantile(r.few, 0.5)) }

// judge returns the bound of the operation, and whether it is kept.
func (r row) judge() (bound, verdict string) {
	bound, over := fmt.Sprintf("growth %.0f", maxGrowth), r.growth() > maxGrowth
	within := func(median, p99 time.Duration) {
		bound = fmt.Sprintf("%d, %d ms", median.Milliseconds(), p99.Milliseconds())
		over = quantile(r.many, 0.5) > median || quantile(r.many, 0.99) >= p99
	}
	switch kind, _, _ := strings.Cut(r.name, ","); {
	case strings.HasPrefix(kind, "search"):
		within(searchMedian, searchP99)
	case kind == "picks" || kind == "also liked":
		within(picksMedian, picksP99)
	}
	if over {
		return bound, "over"
	}
	return bound, "ok"
}

func quantile(d []time.Duration, q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[int(q*float64(len(sorted)-1))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

func setting(b *testing.B, name string, usual int64) int64 {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		b.Fatalf("%s=%s is no positive number", name, text)
	}
	return n
}

package e2e

import (
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/shared/waittest"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"go.opentelemetry.io/otel/trace"
)

// metricsEvery is how often the services of the test send metrics, and Prometheus evaluates its rules.
const metricsEvery = 500 * time.Millisecond

// TestPanelsHaveData has a person use the site, and runs what panels and rules ask until each has an answer. PROMETHEUS
// is the program, or the URL of one that gets the metrics of the site at E2E_SITE_URL.
func TestPanelsHaveData(t *testing.T) {
	program := os.Getenv("PROMETHEUS")
	if program == "" {
		t.Skip("PROMETHEUS names no Prometheus")
	}
	asked := store{url: program}
	var s *local.Stack
	if strings.HasPrefix(program, "http") {
		s = stacktest.Site(t)
	} else {
		asked.url = startPrometheus(t, program)
		t.Setenv("OTEL_METRIC_EXPORT_INTERVAL", strconv.FormatInt(metricsEvery.Milliseconds(), 10))
		limit := debug.SetMemoryLimit(2 << 30) // which a container has
		t.Cleanup(func() { debug.SetMemoryLimit(limit) })
		s = stacktest.Start(t, func(c *local.Config) { c.MetricsEndpoint = asked.url + "/api/v1/otlp/v1/metrics" })
	}
	front := s.URLs["frontend"]
	name := newName()
	form := url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}
	client := signedIn(t, front+"/register", form)
	listen(t, front+"/live?ids=1,2")

	missing := map[string]string{} // by expression, where it is from
	for _, p := range panels(t) {
		for _, q := range p.queries {
			missing[q.Expr] = p.where
		}
	}
	for _, r := range rules(t) {
		for _, operand := range operands(r.Expr) {
			missing[operand] = r.Record + r.Alert
		}
	}
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for end := time.Now().Add(waittest.Timeout); len(missing) > 0; <-ticker.C {
		if time.Now().After(end) {
			t.Fatalf("without data: %q", missing)
		}
		do(t, client, get(t, front+"/"))
		do(t, client, get(t, front+"/origamis/1"))
		do(t, client, get(t, front+"/origamis/1")) // from the cache
		do(t, client, post(t, front+"/origamis/1/vote", url.Values{}))
		do(t, client, post(t, front+"/origamis/1/unvote", url.Values{}))
		signIn(t, front, name, passphrase)
		for expr := range missing {
			if asked.hasData(t, expr) {
				delete(missing, expr)
			}
		}
	}
	asked.assertRulesWork(t)
	for _, p := range panels(t) {
		for _, q := range p.queries {
			if q.Exemplar == nil || !*q.Exemplar {
				continue
			}
			ids := asked.tracesOf(t, q.Expr)
			known := func(id trace.TraceID) bool {
				_, found := s.Traces.Find(id)
				return found
			}
			if len(ids) == 0 || s.Traces != nil && !slices.ContainsFunc(ids, known) {
				t.Errorf("%s: its exemplars lead to %d traces, none of which is known", p.where, len(ids))
			}
		}
	}
}

// operands are what an alert compares, each without its threshold: where all is well the whole has no data. absent is
// taken off, too. A recording rule, whose parentheses may hold more, is whole.
func operands(expr string) (each []string) {
	comparison := regexp.MustCompile(`[<>] *[\d.]+`)
	if !comparison.MatchString(expr) && !strings.HasPrefix(expr, "absent") {
		return []string{expr}
	}
	for _, operand := range regexp.MustCompile(`\s(?:and|or)\s+(?:ignoring \(\w+\))?`).Split(expr, -1) {
		operand = strings.TrimPrefix(strings.TrimSpace(operand), "absent")
		each = append(each, comparison.ReplaceAllString(operand, ""))
	}
	return each
}

// startPrometheus starts it with the settings of docker-compose.yml, but for the time between evaluations, and returns
// its URL.
func startPrometheus(t *testing.T, program string) string {
	t.Helper()
	dir := t.TempDir()
	config := strings.Replace(string(readFile(t, deploy+"prometheus.yaml")), "evaluation_interval: 30s",
		"evaluation_interval: "+metricsEvery.String(), 1)
	for name, content := range map[string]string{
		"prometheus.yaml": config, "rules.yaml": string(readFile(t, deploy+"rules.yaml")),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := launchCommand(t, exec.CommandContext(context.WithoutCancel(t.Context()), program,
		"--config.file="+dir+"/prometheus.yaml", "--storage.tsdb.path="+dir+"/data",
		"--web.listen-address=127.0.0.1:0", "--web.enable-otlp-receiver", "--enable-feature=exemplar-storage"))
	return "http://" + p.out.await(t, `msg="Listening on" component=web address=`, "\n")
}

// listen is somebody who watches until the test ends.
func listen(t *testing.T, url string) {
	t.Helper()
	res, err := http.DefaultClient.Do(get(t, url))
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v, %v", url, res, err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
}

// store is a Prometheus.
type store struct{ url string }

// ask returns the data of a reply of its API.
func (s store) ask(t *testing.T, path string, form url.Values, data any) {
	t.Helper()
	got := do(t, http.DefaultClient, get(t, s.url+"/api/v1/"+path+"?"+form.Encode()))
	answer := struct {
		Status, Error string
		Data          any
	}{Data: data}
	if err := json.Unmarshal([]byte(got.Body), &answer); err != nil || answer.Status != "success" {
		t.Fatalf("%s %q: %s %v", path, form, answer.Error, err)
	}
}

// hasData reports whether the expression has a value that is a number.
func (s store) hasData(t *testing.T, expr string) bool {
	t.Helper()
	var data struct {
		Result []struct{ Value [2]any }
	}
	s.ask(t, "query", url.Values{"query": {expr}}, &data)
	for _, r := range data.Result {
		text, _ := r.Value[1].(string)
		if value, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(value) && !math.IsInf(value, 0) {
			return true
		}
	}
	return false
}

// tracesOf are those that the exemplars of what the expression asks for lead to.
func (s store) tracesOf(t *testing.T, expr string) (ids []trace.TraceID) {
	t.Helper()
	var data []struct {
		Exemplars []struct{ Labels map[string]string }
	}
	now := time.Now()
	form := url.Values{
		"query": {expr}, "start": {now.Add(-time.Hour).Format(time.RFC3339)}, "end": {now.Format(time.RFC3339)},
	}
	s.ask(t, "query_exemplars", form, &data)
	for _, series := range data {
		for _, e := range series.Exemplars {
			id, err := trace.TraceIDFromHex(e.Labels["trace_id"])
			if err != nil {
				t.Errorf("%s: exemplar %v: %v", expr, e.Labels, err)
			}
			ids = append(ids, id)
		}
	}
	return ids
}

// assertRulesWork checks that the last evaluation of each rule of deploy/rules.yaml went well.
func (s store) assertRulesWork(t *testing.T) {
	t.Helper()
	var data struct {
		Groups []struct {
			Rules []struct{ Name, Health, LastError string }
		}
	}
	s.ask(t, "rules", nil, &data)
	evaluated := 0
	for _, g := range data.Groups {
		for _, r := range g.Rules {
			evaluated++
			if r.Health != "ok" {
				t.Errorf("rule %s is %s: %s", r.Name, r.Health, r.LastError)
			}
		}
	}
	if want := len(rules(t)); evaluated != want {
		t.Errorf("%d rules are evaluated, want %d", evaluated, want)
	}
}

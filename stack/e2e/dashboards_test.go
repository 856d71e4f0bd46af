package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"go.yaml.in/yaml/v4"
)

// deploy has what Prometheus and Grafana read.
const deploy = "../../deploy/"

// panel is one that shows something; rows are left out.
type panel struct {
	dashboard.Panel
	where   string
	queries []prometheus.Dataquery // without variables
}

// panels are those of all dashboards. Fields that Grafana does not know are errors.
func panels(t *testing.T) (all []panel) {
	t.Helper()
	known := cog.NewRuntime()
	known.RegisterPanelcfgVariant(stat.VariantConfig())
	known.RegisterPanelcfgVariant(table.VariantConfig())
	known.RegisterPanelcfgVariant(timeseries.VariantConfig())
	known.RegisterDataqueryVariant(variants.DataqueryConfig{
		Identifier: "prometheus", DataqueryUnmarshaler: decodeQuery, StrictDataqueryUnmarshaler: decodeQuery,
	})
	files, err := filepath.Glob(deploy + "grafana/dashboards/*.json")
	if err != nil || len(files) != 2 {
		t.Fatalf("dashboards %q, %v", files, err)
	}
	for _, file := range files {
		content := readFile(t, file)
		var strict, d dashboard.Dashboard //nolint:staticcheck // its successor is the format of Grafana's API
		// Where all is well the first error is an empty list, and strict has no panels.
		if err := strict.UnmarshalJSONStrict(content); err != nil && err.Error() != "" {
			t.Fatalf("%s: %v", file, err)
		}
		if err := errors.Join(json.Unmarshal(content, &d), d.Validate()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		replace := []string{"$__rate_interval", "1m", "$__range", "1m"}
		for _, v := range d.Templating.List {
			value := ".+"
			if v.Type == dashboard.VariableTypeConstant {
				value = *v.Query.String
			}
			replace = append(replace, "$"+v.Name, value)
		}
		for _, p := range d.Panels {
			if p.Panel == nil {
				continue
			}
			found := panel{Panel: *p.Panel, where: filepath.Base(file) + ": " + *p.Panel.Title}
			for _, target := range p.Panel.Targets {
				q := target.(*prometheus.Dataquery)
				q.Expr = strings.NewReplacer(replace...).Replace(q.Expr)
				found.queries = append(found.queries, *q)
			}
			all = append(all, found)
		}
	}
	if len(all) < 20 {
		t.Fatalf("%d panels", len(all))
	}
	return all
}

// decodeQuery takes the place of prometheus.VariantConfig's, which takes an empty list of errors for one.
func decodeQuery(raw []byte) (variants.Dataquery, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	q := &prometheus.Dataquery{}
	return q, decoder.Decode(q)
}

// rule is one of Prometheus' rules.
type rule struct {
	Record, Alert, Expr string
	Annotations         map[string]string
}

func rules(t *testing.T) (all []rule) {
	t.Helper()
	var file struct {
		Groups []struct{ Rules []rule }
	}
	if err := yaml.Unmarshal(readFile(t, deploy+"rules.yaml"), &file); err != nil {
		t.Fatal(err)
	}
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

// TestDashboardsAreGrafanas: each panel is of Grafana's own, reads from a data source that there is and says what it
// shows; what shows a latency has exemplars.
func TestDashboardsAreGrafanas(t *testing.T) {
	t.Parallel()
	var sources struct {
		Datasources []struct{ UID string }
	}
	if err := yaml.Unmarshal(readFile(t, deploy+"grafana/provisioning/datasources/craftista.yaml"), &sources); err != nil {
		t.Fatal(err)
	}
	uids := map[string]bool{}
	for _, s := range sources.Datasources {
		uids[s.UID] = true
	}
	for _, p := range panels(t) {
		exemplars := false
		for _, q := range p.queries {
			exemplars = exemplars || q.Exemplar != nil && *q.Exemplar
		}
		latency := p.Type == "timeseries" && strings.Contains(p.queries[0].Expr, "histogram_quantile")
		if !slices.Contains([]string{"stat", "table", "timeseries"}, p.Type) || !uids[*p.Datasource.Uid] ||
			len(p.queries) == 0 || latency != exemplars {
			t.Errorf("%s: a %s of %s with %d queries; shows latencies: %t, exemplars: %t",
				p.where, p.Type, *p.Datasource.Uid, len(p.queries), latency, exemplars)
		}
	}
}

// TestAlertsHaveRunbooks: docs/operate.md has a section for each alert.
func TestAlertsHaveRunbooks(t *testing.T) {
	t.Parallel()
	text := string(readFile(t, "../../docs/operate.md"))
	alerts := 0
	for _, r := range rules(t) {
		if r.Alert == "" {
			continue
		}
		alerts++
		if want := "docs/operate.md#" + strings.ToLower(r.Alert); r.Annotations["runbook"] != want ||
			!strings.Contains(text, "\n### "+r.Alert+"\n") {
			t.Errorf("%s: its runbook is %q, want %q and the section", r.Alert, r.Annotations["runbook"], want)
		}
	}
	if alerts < 5 {
		t.Errorf("%d alerts", alerts)
	}
}

// notMetrics are the parts of an expression that hold no metric's name, in the order in which they are taken out: text,
// labels, durations, groupings, functions and words.
var notMetrics = []*regexp.Regexp{
	regexp.MustCompile(`"[^"]*"`), regexp.MustCompile(`\{[^}]*\}`), regexp.MustCompile(`\[[^\]]*\]`),
	regexp.MustCompile(`\b(by|on|ignoring) *\([^)]*\)`), regexp.MustCompile(`[a-z_]+ *\(`),
	regexp.MustCompile(`\b(and|or|unless|group_left)\b`),
}

// ofHistogram is what Prometheus adds to the name of one.
var ofHistogram = regexp.MustCompile(`_(bucket|count|sum)$`)

// metricsOf are the names of the metrics in an expression.
func metricsOf(expr string) (names []string) {
	for _, part := range notMetrics {
		expr = part.ReplaceAllString(expr, " ")
	}
	for _, name := range regexp.MustCompile(`[a-zA-Z_:][\w:]*`).FindAllString(expr, -1) {
		names = append(names, ofHistogram.ReplaceAllString(name, ""))
	}
	return names
}

// assertMetricsExist checks that panels and rules use no metrics but the services', by Prometheus' names, and recorded
// ones.
func assertMetricsExist(t *testing.T, exported map[string]bool) {
	t.Helper()
	known, used := map[string]bool{"ALERTS": true}, map[string]string{}
	for name := range exported {
		known[ofHistogram.ReplaceAllString(name, "")] = true
	}
	for _, r := range rules(t) {
		known[r.Record] = true
		for _, name := range metricsOf(r.Expr) {
			used[name] = r.Record + r.Alert
		}
	}
	for _, p := range panels(t) {
		for _, q := range p.queries {
			for _, name := range metricsOf(q.Expr) {
				used[name] = p.where
			}
		}
	}
	for name, where := range used {
		if !known[name] {
			t.Errorf("%s uses %s, which nothing exports", where, name)
		}
	}
	if len(used) < 15 {
		t.Errorf("%d metrics are used", len(used))
	}
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

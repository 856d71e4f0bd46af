package traces

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	width, height = 100, 24 // of a chart
	minBars       = 24      // there is room for, while fewer steps are stored
)

// requestsView has the figures of each service and of its routes, and the route that is asked for.
type requestsView struct {
	Only     route
	Services []*serviceView
}

type serviceView struct {
	routeView
	Routes []routeView
}

// routeView has the figures of one route, or of all of a service.
type routeView struct {
	Route                     route
	Rate, Failed, Median, P95 chart
}

// chart is a number and, as the path of an SVG, how it came about.
type chart struct{ Text, Bars string }

// view has all figures. The bars, and the rate, are of one minute each, as Prometheus' rate(…[1m]) would be; the other
// numbers are of all that is stored.
func (m *Metrics) view(only route) requestsView {
	m.mu.Lock()
	steps := m.steps
	m.mu.Unlock()
	minutes := make([]map[route]*total, len(steps))
	for i := range steps {
		minutes[i] = sum(steps[max(0, i+1-minute) : i+1])
	}
	totals := sum(steps)
	v := requestsView{Only: only}
	for _, r := range slices.SortedFunc(maps.Keys(totals), route.compare) {
		figures := newRouteView(r, totals[r], minutes)
		if r.Name == "" { // which is the first of its service
			v.Services = append(v.Services, &serviceView{routeView: figures})
			continue
		}
		service := v.Services[len(v.Services)-1]
		service.Routes = append(service.Routes, figures)
	}
	return v
}

func (r route) compare(other route) int {
	return cmp.Or(cmp.Compare(r.Service, other.Service), cmp.Compare(r.Name, other.Name))
}

func newRouteView(r route, all *total, minutes []map[route]*total) routeView {
	n := len(minutes)
	rate, failed, median, p95 := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i, totals := range minutes {
		if t := totals[r]; t != nil {
			rate[i], failed[i] = float64(t.requests), float64(t.failed)/float64(t.requests)
			median[i], p95[i] = t.quantile(0.5), t.quantile(0.95)
		}
	}
	longest := slices.Max(p95)
	return routeView{
		Route:  r,
		Rate:   chart{fmt.Sprintf("%.0f/min", rate[n-1]), bars(rate, slices.Max(rate))},
		Failed: chart{fmt.Sprintf("%.1f %%", 100*float64(all.failed)/float64(all.requests)), bars(failed, 1)},
		Median: chart{fmt.Sprintf("%.1f", 1000*all.quantile(0.5)), bars(median, longest)},
		P95:    chart{fmt.Sprintf("%.1f ms", 1000*all.quantile(0.95)), bars(p95, longest)},
	}
}

// bars draws the values up to top, at least a little of each but 0, and the latest at the right.
func bars(values []float64, top float64) string {
	var path strings.Builder
	thickness := width / float64(max(minBars, len(values)))
	for i, v := range values {
		if v > 0 {
			right, y := width-thickness*float64(len(values)-i-1), min(height-2, height*(1-v/top))
			_, _ = fmt.Fprintf(&path, "M%.2f %dV%.0fh-%.2fV%[2]d", right, height, y, thickness) // a Builder has no errors
		}
	}
	return path.String()
}

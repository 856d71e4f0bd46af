package backend

import (
	"context"
	"net/http"
	"sync"
	"time"

	"craftista/shared/build"
	"craftista/shared/web"
)

// Report is what a service says about itself.
type Report struct {
	Alive      bool             // it answers at all
	Ready      bool             // it can do its work
	Latency    time.Duration    // of its plainest answer; 0 when it does not answer
	Checks     map[string]Check // by name, such as database; nil when it does not tell in time
	Build      build.Info
	Hostname   string
	Container  bool
	Kubernetes bool
}

// Check is how something is that a service needs, or is better with.
type Check struct {
	OK   bool
	Took time.Duration // as the service measured it
}

// Ready is nil when the service can do its work.
func (c client) Ready(ctx context.Context) error {
	c.web = c.direct // a breaker says how the service was before
	_, err := c.read(ctx, "/readyz", "", nil)
	return err
}

// Probe asks the service how it is, all questions at once, for as long as ctx
// allows. The error is why it is not ready.
func (c client) Probe(ctx context.Context) (Report, error) {
	c.web = c.direct
	var report Report
	var system struct {
		Hostname     string `json:"hostname"`
		IsContainer  bool   `json:"is_container"`
		IsKubernetes bool   `json:"is_kubernetes"`
	}
	var checks map[string]Check
	var latency time.Duration
	var readyErr, healthErr error
	var wg sync.WaitGroup
	wg.Go(func() { checks, readyErr = c.checks(ctx) })
	wg.Go(func() {
		start := time.Now()
		_, healthErr = c.read(ctx, "/health", "", &report.Build)
		latency = time.Since(start)
	})
	wg.Go(func() { _, _ = c.read(ctx, "/api/system-info", "", &system) }) // its absence shows as absence
	wg.Wait()
	report.Ready = readyErr == nil
	report.Alive = healthErr == nil || report.Ready || checks != nil
	if !report.Alive {
		return Report{}, readyErr
	}
	report.Checks, report.Latency = checks, latency
	report.Hostname, report.Container, report.Kubernetes = system.Hostname, system.IsContainer, system.IsKubernetes
	return report, readyErr
}

// checks reads /readyz, which tells of every check whether it answers 200 or 503.
func (c client) checks(ctx context.Context) (map[string]Check, error) {
	var reply struct {
		Checks map[string]string `json:"checks"`
		TookMS map[string]int64  `json:"took_ms"`
	}
	_, err := c.call(ctx, web.Request{Method: http.MethodGet, Path: "/readyz", ErrorBody: &reply}, &reply)
	if reply.Checks == nil {
		return nil, err
	}
	checks := make(map[string]Check, len(reply.Checks))
	for name, state := range reply.Checks {
		checks[name] = Check{OK: state == "ok", Took: time.Duration(reply.TookMS[name]) * time.Millisecond}
	}
	return checks, err
}

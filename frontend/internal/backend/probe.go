package backend

import (
	"context"
	"sync"
	"time"
)

// Report is what a service says about itself.
type Report struct {
	Alive      bool          // it answers at all
	Ready      bool          // it can do its work
	Latency    time.Duration // of the readiness check; 0 when it does not answer
	Version    string
	Hostname   string
	Container  bool
	Kubernetes bool
}

// Ready is nil when the service can do its work.
func (c client) Ready(ctx context.Context) error {
	c.web = c.direct // a guard tells how it was a moment ago
	_, err := c.read(ctx, "/readyz", "", nil)
	return err
}

// Probe asks the service how it is, all questions at once. The error is why it
// is not ready.
func (c client) Probe(ctx context.Context) (Report, error) {
	c.web = c.direct
	var report Report
	var health struct {
		Version string `json:"version"`
	}
	var system struct {
		Hostname     string `json:"hostname"`
		IsContainer  bool   `json:"is_container"`
		IsKubernetes bool   `json:"is_kubernetes"`
	}
	var readyErr, healthErr error
	var wg sync.WaitGroup
	wg.Go(func() {
		start := time.Now()
		readyErr = c.Ready(ctx)
		report.Latency = time.Since(start)
	})
	wg.Go(func() { _, healthErr = c.read(ctx, "/health", "", &health) })
	wg.Go(func() { _, _ = c.read(ctx, "/api/system-info", "", &system) }) // its absence shows as absence
	wg.Wait()
	report.Ready = readyErr == nil
	report.Alive = healthErr == nil || report.Ready
	if !report.Alive {
		return Report{}, readyErr
	}
	report.Version = health.Version
	report.Hostname, report.Container, report.Kubernetes = system.Hostname, system.IsContainer, system.IsKubernetes
	return report, readyErr
}

package composetest

import (
	"errors"
	"net/http"
	"testing"
)

// TestReplicasRestart restarts a replica of each service, and stops the other for a while: no request fails.
func TestReplicasRestart(t *testing.T) {
	needsContainers(t)
	tr, stop := startTraffic(t)
	for _, service := range services {
		for i, c := range containers(t, service) {
			if i == 0 {
				tr.during(t, "restart of "+c.Name, nil, func() {
					docker(t, "restart", c.ID)
					awaitHealthy(t, c.ID)
				})
				continue
			}
			tr.during(t, "stop of "+c.Name, nil, func() { tr.stopAndStart(t, c) })
		}
	}
	stop()
}

// TestHelpersRestart stops what requests can do without: none fails.
func TestHelpersRestart(t *testing.T) {
	needsContainers(t)
	tr, stop := startTraffic(t)
	for _, c := range containers(t, "redis", "collector", "mailpit", "jaeger", "prometheus", "grafana") {
		tr.during(t, "stop of "+c.Name, nil, func() { tr.stopAndStart(t, c) })
	}
	stop()
}

// TestDatabaseRestarts: the gallery goes on without what is missing, the rest answers 503, and no vote that was
// acknowledged is lost.
func TestDatabaseRestarts(t *testing.T) {
	needsContainers(t)
	tr, stop := startTraffic(t)
	unavailable := func(err error) bool {
		u, ok := errors.AsType[unwanted](err)
		gallery := u.url == published("SITE_PORT")+"/"
		return ok && (gallery && u.status == http.StatusOK || !gallery && u.status == http.StatusServiceUnavailable)
	}
	postgres := containers(t, "postgres")[0]
	tr.during(t, "restart of PostgreSQL", unavailable, func() {
		docker(t, "restart", postgres.ID)
		awaitHealthy(t, postgres.ID)
	})
	tr.during(t, "stop of PostgreSQL", unavailable, func() { tr.stopAndStart(t, postgres) })
	awaitHealthy(t, ids(t, services...)...)
	eventually(t, "every request succeeds again", func() bool {
		tr.goOn(t)
		return tr.takeFailures() == nil
	})
	stop()
}

// stopAndStart stops the container, and starts it after people have gone on without it.
func (tr *traffic) stopAndStart(t *testing.T, c container) {
	t.Helper()
	docker(t, "stop", c.ID)
	tr.goOn(t)
	docker(t, "start", c.ID)
	awaitHealthy(t, c.ID)
}

// Package health is the probes and the description of every service: whether the process is alive, whether it can do
// its work, what it is and where it runs.
package health

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"craftista/shared/build"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// checkTimeout bounds one check.
const checkTimeout = 2 * time.Second

// Check returns nil when the dependency works. The message of a fault is shown to any client; other errors are only
// logged.
type Check func(context.Context) error

// Service describes a running service. Set its fields before serving.
type Service struct {
	Name        string
	Description string // one sentence
	Build       build.Info
	Checks      map[string]Check // required: the service is unready while one fails
	Optional    map[string]Check // reported only: the service works without, if less well
}

// Routes adds what every service answers: /livez, /readyz, /health and
// /api/system-info.
func (s Service) Routes(r *web.Router) {
	r.Get("/livez", s.livez)
	r.Get("/readyz", (&readiness{Service: s}).readyz)
	r.Get("/health", s.health)
	r.Get("/api/system-info", s.systemInfo)
}

// RootRoutes adds / and /status, which are pages in the frontend and JSON in the other services.
func (s Service) RootRoutes(r *web.Router) {
	r.Get("/", s.home)
	r.Get("/status", s.health)
}

type readyReply struct {
	Status  string            `json:"status"`            // ready, unready or draining
	Checks  map[string]string `json:"checks"`            // ok or down; degraded for an optional one
	TookMS  map[string]int64  `json:"took_ms"`           // by each check
	Reasons map[string]string `json:"reasons,omitempty"` // of checks that are not ok, in words, where there are some
}

type healthReply struct {
	Status    string    `json:"status"` // ok
	Timestamp time.Time `json:"timestamp"`
	build.Info
}

// System is where a process runs.
type System struct {
	Hostname     string `json:"hostname"`
	IPAddress    string `json:"ip_address"`
	IsContainer  bool   `json:"is_container"`
	IsKubernetes bool   `json:"is_kubernetes"`
}

type homeReply struct {
	Service     string            `json:"service"`
	Description string            `json:"description"`
	Version     string            `json:"version"`
	Host        System            `json:"host"`
	Links       map[string]string `json:"links"`
}

// livez answers GET /livez. It depends on nothing: restarting this process must
// be able to help.
func (s Service) livez(w http.ResponseWriter, r *http.Request) error {
	web.LogAtDebug(r.Context())
	return web.Reply(w, http.StatusOK, map[string]string{"status": "alive"})
}

// readiness remembers which checks failed last, as a string, so that only a change is logged.
type readiness struct {
	Service
	failing atomic.Value
}

// readyz answers GET /readyz with every check by name, 503 until all required ones are ok and once the service drains.
func (s *readiness) readyz(w http.ResponseWriter, r *http.Request) error {
	reply := readyReply{
		Status: "ready", Checks: map[string]string{}, TookMS: map[string]int64{}, Reasons: map[string]string{},
	}
	status := http.StatusOK
	ctx, cancel := context.WithTimeout(r.Context(), checkTimeout)
	defer cancel()
	var mu sync.Mutex // guards reply
	var all sync.WaitGroup
	run := func(checks map[string]Check, failed string) {
		for name, check := range checks {
			all.Go(func() {
				start, state := time.Now(), "ok"
				err := check(ctx)
				took := time.Since(start)
				if err != nil {
					state = failed
					web.RecordError(ctx, fmt.Errorf("%s is not ready: %w", name, err))
				}
				mu.Lock()
				defer mu.Unlock()
				reply.Checks[name], reply.TookMS[name] = state, took.Milliseconds()
				if f, ok := errors.AsType[*fault.Error](err); ok {
					reply.Reasons[name] = f.Message
				}
			})
		}
	}
	run(s.Checks, "down")
	run(s.Optional, "degraded")
	all.Wait()
	s.logChange(ctx, reply.Checks)
	for name := range s.Checks {
		if reply.Checks[name] == "down" {
			reply.Status, status = "unready", http.StatusServiceUnavailable
		}
	}
	if web.Draining(ctx) {
		reply.Status, status = "draining", http.StatusServiceUnavailable
	}
	return web.Reply(w, status, reply)
}

func (s *readiness) logChange(ctx context.Context, checks map[string]string) {
	failing := ""
	for _, name := range slices.Sorted(maps.Keys(checks)) {
		if checks[name] != "ok" {
			failing += " " + name
		}
	}
	if before, _ := s.failing.Swap(failing).(string); before == failing {
		web.LogAtDebug(ctx)
	}
}

// health answers GET /health and, on the JSON services, GET /status.
func (s Service) health(w http.ResponseWriter, _ *http.Request) error {
	return web.Reply(w, http.StatusOK, healthReply{Status: "ok", Timestamp: time.Now().UTC(), Info: s.Build})
}

// systemInfo answers GET /api/system-info.
func (s Service) systemInfo(w http.ResponseWriter, r *http.Request) error {
	return web.ReplyJSONWithETag(w, r, "no-cache", CurrentSystem())
}

// home answers GET /.
func (s Service) home(w http.ResponseWriter, r *http.Request) error {
	return web.ReplyJSONWithETag(w, r, "no-cache", homeReply{
		Service: s.Name, Description: s.Description, Version: s.Build.Version, Host: CurrentSystem(),
		Links: map[string]string{
			"docs": "/docs", "openapi": "/openapi.json", "health": "/health", "ready": "/readyz", "system": "/api/system-info",
		},
	})
}

// CurrentSystem is where this process runs. A hostname or address that cannot be found is "".
func CurrentSystem() System {
	host, _ := os.Hostname()
	_, kubernetes := os.LookupEnv("KUBERNETES_SERVICE_HOST")
	return System{Hostname: host, IPAddress: address(), IsContainer: kubernetes || container(), IsKubernetes: kubernetes}
}

// container reports whether Docker's or Podman's marker file exists.
func container() bool {
	for _, mark := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(mark); err == nil {
			return true
		}
	}
	return false
}

// address is the first address that is not loopback, "" if there is none.
func address() string {
	addrs, _ := net.InterfaceAddrs() // an error is answered like none
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.IP.String()
		}
	}
	return ""
}

package page

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/shared/health"
	"craftista/shared/web"
)

// probed is a service behind the site, as people know it.
type probed struct {
	name, job string
	probe     func(context.Context) (backend.Report, error)
}

func (s *site) backends() []probed {
	return []probed{
		{"Catalogue", "Keeps the pieces and counts the votes.", s.services.Catalogue.Probe},
		{"Recommendation", "Chooses the piece of the day and your picks.", s.services.Recommendation.Probe},
		{"Authentication", "Knows who is who.", s.services.Auth.Probe},
	}
}

// status answers GET /status: every service asked at the same time.
func (s *site) status(w http.ResponseWriter, r *http.Request) error {
	model := view.Status{Heading: "All is well", Services: []view.Service{s.ownState()}}
	backends := s.backends()
	reports := make([]backend.Report, len(backends))
	var wg sync.WaitGroup
	for i, b := range backends {
		wg.Go(func() {
			report, err := b.probe(r.Context())
			if err != nil {
				web.NoteFailure(r.Context(), err)
			}
			reports[i] = report
		})
	}
	wg.Wait()
	trouble := 0
	for i, b := range backends {
		state := serviceModel(b.name, b.job, reports[i])
		if state.State != "up" {
			trouble++
		}
		model.Services = append(model.Services, state)
	}
	if trouble > 0 {
		model.Heading = plural(int64(trouble), "service") + " in trouble"
	}
	return s.page(w, r, http.StatusOK, "Status", view.StatusPage(model))
}

// ownState is the frontend's: it answers, since you read this.
func (s *site) ownState() view.Service {
	here := health.Here()
	return view.Service{
		Name: "Frontend", Job: "Makes the page you are reading.", State: "up", Version: s.self.Version,
		Hostname: here.Hostname, Home: home(here.IsKubernetes, here.IsContainer, here.Hostname),
	}
}

func serviceModel(name, job string, report backend.Report) view.Service {
	model := view.Service{Name: name, Job: job, State: "down"}
	if !report.Alive {
		return model
	}
	model.State, model.Version, model.Hostname = "not ready", report.Version, report.Hostname
	if report.Ready {
		model.State = "up"
	}
	model.Latency = milliseconds(report.Latency)
	model.Home = home(report.Kubernetes, report.Container, report.Hostname)
	return model
}

// home is what a service runs in, "" if that is not known.
func home(kubernetes, container bool, hostname string) string {
	switch {
	case kubernetes:
		return "Kubernetes"
	case container:
		return "a container"
	case hostname != "":
		return "the machine itself"
	default:
		return ""
	}
}

func milliseconds(d time.Duration) string {
	if d < time.Millisecond {
		return "under 1 ms"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}

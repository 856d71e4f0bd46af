package page

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/health"
	"craftista/shared/telemetry"
	"craftista/shared/web"
)

// probeTime is how long /status waits for everybody: it is worth looking at just
// when something does not answer.
const probeTime = 850 * time.Millisecond

// statusPage shows how the services are.
type statusPage struct {
	*site
	services  backend.Services
	self      health.Service
	telemetry *telemetry.Telemetry
}

// show answers GET /status: everything asked at the same time. To htmx, which
// asks every few seconds, it is the picture alone.
func (h statusPage) show(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), probeTime)
	defer cancel()
	var p probes
	var wg sync.WaitGroup
	wg.Go(func() { p.auth = probe(ctx, h.services.Auth.Probe) })
	wg.Go(func() { p.catalogue = probe(ctx, h.services.Catalogue.Probe) })
	wg.Go(func() { p.recommendation = probe(ctx, h.services.Recommendation.Probe) })
	if !fragment(r) {
		wg.Go(func() { session.From(r.Context()) }) // which the frame needs, and which may ask auth
	}
	wg.Wait()
	model := h.picture(p)
	if fragment(r) {
		return send(w, r, http.StatusOK, view.PictureView(model))
	}
	const about = "The status of Craftista: what each of its services does, which of them talk to each other, " +
		"and whether all are up."
	social := h.openGraph(r, "website", "Craftista’s status", about, backend.Product{})
	return h.pageWithOpenGraph(w, r, http.StatusOK, "Status", social, view.StatusPage(model))
}

func probe(ctx context.Context, ask func(context.Context) (backend.Report, error)) backend.Report {
	report, err := ask(ctx)
	if err != nil {
		web.RecordError(ctx, err)
	}
	return report
}

// ownBox is the frontend's: it answers, since you read this.
func (h statusPage) ownBox() view.Box {
	here := health.CurrentSystem()
	return view.Box{
		ID: "frontend", Name: "Frontend", State: view.Up, Says: "Serves this site.",
		Facts: facts(h.self.Build.String(), "", here.Hostname, home(here.IsKubernetes, here.IsContainer, here.Hostname)),
	}
}

// facts are what is known of a process; what is not is left out.
func facts(version, latency, hostname, home string) []view.Fact {
	var all []view.Fact
	for _, f := range []view.Fact{
		{Name: "Version", Value: version}, {Name: "Answers in", Value: latency},
		{Name: "Host", Value: hostname}, {Name: "Runs in", Value: home},
	} {
		if f.Value != "" {
			all = append(all, f)
		}
	}
	return all
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
		return "<1 ms"
	}
	return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
}

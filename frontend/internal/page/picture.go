package page

import (
	"strings"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
)

// probes are what the services behind the site said.
type probes struct{ auth, catalogue, recommendation backend.Report }

// picture draws what the probes said.
func (h statusPage) picture(p probes) view.Picture {
	auth := serviceBox("auth", "Authentication", "Signs people in.", p.auth)
	recommendation := serviceBox("recommendation", "Recommendation", "Picks pieces, daily and for you.", p.recommendation)
	catalogue := serviceBox("product", "Catalogue", "Stores pieces and counts votes.", p.catalogue)
	front := h.ownBox()
	for _, service := range []view.Box{auth, recommendation, catalogue} {
		line := view.Line{From: front.ID, To: service.ID, Name: service.Name, State: reached(service.State)}
		front.Lines = append(front.Lines, line)
	}
	boxes := []view.Box{
		{
			ID: "browser", Name: "Your browser", State: view.Up, Says: "Shows this page.",
			Lines: []view.Line{{From: "browser", To: front.ID, Name: front.Name, State: view.Up}},
		},
		front, auth, recommendation, catalogue, databaseBox(p), cacheBox(p.catalogue),
	}
	if traces := h.tracesBox(); traces.ID != "" {
		line := view.Line{From: front.ID, To: traces.ID, Name: traces.Name, State: traces.State}
		boxes[1].Lines = append(boxes[1].Lines, line)
		boxes = append(boxes, traces)
	}
	return view.Picture{Boxes: boxes, Summary: summary(boxes), At: time.Now().UTC().Format("15:04:05 UTC")}
}

// reached is the state of the line to a service: one in trouble is reached.
func reached(state view.State) view.State {
	if state == view.Degraded {
		return view.Up
	}
	return state
}

func serviceBox(id, name, job string, r backend.Report) view.Box {
	box := view.Box{ID: id, Name: name, State: view.Down, Says: "It is not responding."}
	if r.Alive {
		box.State, box.Says = view.Up, job
		box.Facts = facts(r.Build.String(), milliseconds(r.Latency), r.Hostname, home(r.Kubernetes, r.Container, r.Hostname))
	}
	for _, needs := range []struct{ check, id, name, without string }{
		{"database", "postgres", "PostgreSQL", "Its database is not available."},
		{"cache", "redis", "Redis", "It works, but slower: its cache is not available."},
	} {
		check, reported := r.Checks[needs.check]
		line := view.Line{From: id, To: needs.id, Name: needs.name, State: view.Unknown}
		switch {
		case reported && check.OK:
			line.State, line.Latency = view.Up, milliseconds(check.Took)
		case reported:
			line.State, box.State = view.Down, view.Degraded
			if box.Says == job {
				box.Says = needs.without
			}
		case needs.check == "cache":
			continue // only the catalogue has one
		}
		box.Lines = append(box.Lines, line)
	}
	if r.Alive && !r.Ready && box.State == view.Up {
		box.State, box.Says = view.Degraded, "It did not report its state in time."
	}
	return box
}

// databaseBox is what all services that got through to PostgreSQL say of it.
func databaseBox(p probes) view.Box {
	box := view.Box{ID: "postgres", Name: "PostgreSQL", State: view.Unknown, Says: "No service reports its state."}
	reported, well, slowest := 0, 0, time.Duration(0)
	for _, r := range []backend.Report{p.auth, p.recommendation, p.catalogue} {
		if check, ok := r.Checks["database"]; ok {
			reported++
			if check.OK {
				well++
				slowest = max(slowest, check.Took)
			}
		}
	}
	switch {
	case reported == 0:
		return box
	case well == 0:
		box.State, box.Says = view.Down, "No service can reach it."
		return box
	case well < reported:
		box.State, box.Says = view.Degraded, "Some services cannot reach it."
	default:
		box.State, box.Says = view.Up, "Stores all data."
	}
	box.Facts = facts("", milliseconds(slowest), "", "")
	return box
}

func cacheBox(r backend.Report) view.Box {
	box := view.Box{ID: "redis", Name: "Redis", State: view.Unknown, Says: "The catalogue does not report its state."}
	switch check, reported := r.Checks["cache"]; {
	case reported && check.OK:
		box.State, box.Says = view.Up, "Caches pieces for the catalogue."
		box.Facts = facts("", milliseconds(check.Took), "", "")
	case reported:
		box.State, box.Says = view.Down, "The catalogue cannot reach it."
	case r.Checks != nil:
		box.Says = "The catalogue is configured without a cache."
	}
	return box
}

// tracesBox is where the spans of requests go, as the frontend sees it; none if
// they go nowhere.
func (h statusPage) tracesBox() view.Box {
	if !h.telemetry.Sends() {
		return view.Box{}
	}
	box := view.Box{ID: "traces", Name: "Traces", State: view.Unknown, Says: "No traces were sent yet."}
	switch last, sent := h.telemetry.Delivered(); {
	case sent && last.Failed:
		box.State, box.Says = view.Down, "It does not accept traces."
	case sent:
		box.State, box.Says = view.Up, "Stores the trace of each request."
		box.Facts = facts("", milliseconds(last.Took), "", "")
	}
	return box
}

// summary says what is not up, worst first.
func summary(boxes []view.Box) string {
	var said []string
	for _, state := range []view.State{view.Down, view.Degraded} {
		var names []string
		for _, box := range boxes {
			if box.State == state {
				names = append(names, box.Name)
			}
		}
		if len(names) > 0 {
			said = append(said, strings.Join(names, ", ")+": "+string(state)+".")
		}
	}
	if len(said) == 0 {
		return "All services are up."
	}
	return strings.Join(said, " ")
}

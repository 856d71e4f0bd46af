// Package api is the HTTP face of the recommendations.
package api

import (
	_ "embed"
	"net/http"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/fault"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// briefly is Cache-Control of answers that are the same for everyone but hold counts, which the next vote changes.
const briefly = "public, max-age=60"

// Routes is every URL of the service. v verifies tokens, about is what GET / and the probes answer, and the UTC date of
// now is today.
func Routes(
	t *telemetry.Telemetry, s recommend.Store, v *token.Verifier, about health.Service, now func() time.Time,
) *web.Router {
	r := web.NewRouter(t, web.ProblemWith(pg.Unavailable))
	recommender := recommend.Recommender{Store: s}

	d := &daily{Recommender: recommender, now: now}
	r.Get("/api/origami-of-the-day", d.show)
	r.Get("/api/origami-of-the-day/archive", d.archive)

	p := picks{recommender}
	r.Get("/api/recommendations", token.Optional(v, p.list))
	r.Get("/api/origamis/{id}/also-liked", p.alsoLiked)

	r.Get("/api/recommendation-status", status{about.Checks["database"]}.show)
	about.Routes(r)
	about.RootRoutes(r)
	openapi.Routes(r, spec)
	return r
}

// param parses the query parameter of that name. Without one, or with an empty one, it is otherwise; one that parse
// refuses is an Invalid fault.
func param[T any](r *http.Request, name, rule string, otherwise T, parse func(string) (T, error)) (T, error) {
	query, err := web.Query(r)
	text := query.Get(name)
	if err != nil || text == "" {
		return otherwise, err
	}
	value, err := parse(text)
	var checks fault.Checks
	checks.Require(err == nil, name, rule)
	return value, checks.Err()
}

// Package home is the front door: the table of everything the service answers,
// and the OpenAPI document that describes it.
package home

import (
	_ "embed"
	"time"

	"craftista/recommendation/internal/origami"
	"craftista/recommendation/internal/status"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"

	"github.com/jmoiron/sqlx"
)

//go:embed openapi.json
var spec []byte

// Routes is all that the service answers. now is the clock whose UTC date is
// today. Neither the database nor auth need be there yet.
func Routes(t *telemetry.Telemetry, db *sqlx.DB, people *token.Verifier, version string, now func() time.Time) *web.Router {
	r := web.NewRouter(t, web.Problem)
	store := origami.NewStore(db)
	about := health.Service{
		Name:        "recommendation",
		Description: "The origami of the day for everyone, and picks for each person.",
		Version:     version,
		Checks:      map[string]health.Check{"database": store.Ready},
	}
	about.Routes(r)
	about.RoutesJSON(r)
	openapi.Routes(r, spec)

	r.Get("/api/recommendation-status", status.New(store.Ready).Show)
	daily, picks := origami.NewDaily(store, now), origami.NewPicks(store)
	r.Get("/api/origami-of-the-day", daily.Show)
	r.Get("/api/origami-of-the-day/archive", daily.Archive)
	r.Get("/api/recommendations", token.Optional(people, picks.List))
	r.Get("/api/origamis/{id}/also-liked", picks.AlsoLiked)
	return r
}

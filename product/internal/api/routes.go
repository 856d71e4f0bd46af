// Package api is the HTTP face of the catalogue.
package api

import (
	_ "embed"
	"net/http"

	"craftista/product/internal/core"
	"craftista/product/internal/picture"
	"craftista/shared/health"
	"craftista/shared/openapi"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

//go:embed openapi.json
var spec []byte

// Routes is every URL of the service. v says who is asking; about, what
// GET / and the probes tell.
func Routes(
	t *telemetry.Telemetry, c *core.Catalogue, b *core.CountBroadcaster, v *token.Verifier, about health.Service,
) *web.Router {
	r := web.NewRouter(t, web.ProblemWith(pg.Unavailable))
	curators := func(h web.Handler) web.Handler {
		return token.RequireRole(v, h, token.RoleCurator, token.RoleAdmin)
	}

	p := products{catalogue: c}
	// The first Craftista called products origamis; its paths still work.
	r.Get("/api/products", p.list)
	r.Get("/api/products/{id}", withID(p.show))
	r.Get("/api/origamis", p.list)
	r.Get("/api/origamis/{id}", withID(p.show))
	r.Post("/api/products", curators(p.add))
	r.Put("/api/products/{id}", curators(withID(p.edit)))
	r.Delete("/api/products/{id}", curators(withID(p.remove)))

	i := images{catalogue: c, photos: picture.NewPhotos(0)}
	r.PostUpload("/api/images", curators(i.add))
	r.Get("/api/images/{name}", i.show)

	s := votes{catalogue: c}
	r.Get("/api/origamis/{id}/votes", withID(s.count))
	counter := t.Counter("craftista.votes", "{vote}", "Votes that were asked to be recorded or taken back.")
	vote := web.Count(counter, "recorded", token.RequireScope(v, s.change(c.Vote, true), token.ScopeVote))
	unvote := web.Count(counter, "taken_back", token.RequireScope(v, s.change(c.Unvote, false), token.ScopeVote))
	r.Post("/api/origamis/{id}/vote", vote)
	r.Delete("/api/origamis/{id}/vote", unvote)
	r.Get("/api/votes/mine", token.RequireScope(v, s.mine, token.ScopeReadVotes))

	me := person{catalogue: c}
	r.Get("/api/me", token.Require(v, me.show))
	r.Delete("/api/me", token.Require(v, me.forget))

	r.Stream("/api/votes/stream", streamRetry, liveHandler{broadcaster: b}.stream)

	about.Routes(r)
	about.RootRoutes(r)
	openapi.Routes(r, spec)
	return r
}

// withID reads the id in the path for next.
func withID(next func(http.ResponseWriter, *http.Request, int64) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		id, err := web.PathID(r)
		if err != nil {
			return err
		}
		return next(w, r, id)
	}
}

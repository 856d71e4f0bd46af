package page

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// scripts are the addresses that speak JSON; they pass on what the services say.
type scripts struct{ services backend.Services }

const (
	up   = "up"
	down = "down"
)

type serviceStatusReply struct {
	Frontend       string
	Catalogue      string
	Voting         string
	Recommendation string
	Authentication string
}

type stateReply struct {
	Status  string `json:"status"` // up or down
	Message string `json:"message"`
}

// products answers GET /api/products, paging in the Link header.
func (h scripts) products(w http.ResponseWriter, r *http.Request) error {
	path := "/api/products"
	if query := r.URL.Query().Encode(); query != "" {
		path += "?" + query
	}
	raw, header, err := h.services.Catalogue.Raw(r.Context(), path, "")
	if links := header.Values("Link"); len(links) > 0 {
		w.Header()["Link"] = links
	}
	return pass(w, r, raw, err)
}

// pass sends what a service replied.
func pass(w http.ResponseWriter, r *http.Request, raw json.RawMessage, err error) error {
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, "no-cache", raw)
}

// votes answers GET /api/origamis/{id}/votes.
func (h scripts) votes(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	raw, _, err := h.services.Catalogue.Raw(r.Context(), "/api/origamis/"+decimal(id)+"/votes", "")
	return pass(w, r, raw, err)
}

// vote answers POST /api/origamis/{id}/vote for the person of the cookie.
func (h scripts) vote(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	needsSession := &fault.Error{
		Kind: fault.Unauthenticated, Message: "this needs a session, sign in first", Code: "invalid_token",
	}
	who := session.From(r.Context())
	switch {
	case who.Token == "" && who.State == session.Unknown:
		return signInUnavailable()
	case who.Token == "":
		return needsSession
	}
	raw, err := h.services.Catalogue.RawVote(r.Context(), who.Token, id, true)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated && who.State == session.Unknown:
		return signInUnavailable().Because(err)
	case fault.KindOf(err) == fault.Unauthenticated:
		return needsSession.Because(err)
	case err != nil:
		return err
	}
	return web.Reply(w, http.StatusOK, raw)
}

// daily answers GET /daily-origami.
func (h scripts) daily(w http.ResponseWriter, r *http.Request) error {
	raw, _, err := h.services.Recommendation.Raw(r.Context(), "/api/origami-of-the-day", "")
	return pass(w, r, raw, err)
}

// authStatus answers GET /auth/status for the person of the cookie.
func (h scripts) authStatus(w http.ResponseWriter, r *http.Request) error {
	raw, _, err := h.services.Auth.Raw(r.Context(), "/api/auth/status", session.From(r.Context()).Token)
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, raw)
}

// serviceStatus answers GET /api/service-status. The catalogue counts the
// votes too, so Voting is up when it is.
func (h scripts) serviceStatus(w http.ResponseWriter, r *http.Request) error {
	reply := serviceStatusReply{Frontend: up}
	var wg sync.WaitGroup
	wg.Go(func() { reply.Catalogue = state(r.Context(), h.services.Catalogue.Ready) })
	wg.Go(func() { reply.Recommendation = state(r.Context(), h.services.Recommendation.Ready) })
	wg.Go(func() { reply.Authentication = state(r.Context(), h.services.Auth.Ready) })
	wg.Wait()
	reply.Voting = reply.Catalogue
	return web.Reply(w, http.StatusOK, reply)
}

// replyState answers GET /recommendation-status and GET /votingservice-status.
func replyState(what string, ready func(context.Context) error) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		reply := stateReply{Status: state(r.Context(), ready), Message: what + " can be used"}
		if reply.Status == down {
			reply.Message = what + " cannot be used now"
		}
		return web.Reply(w, http.StatusOK, reply)
	}
}

func state(ctx context.Context, ready func(context.Context) error) string {
	if err := ready(ctx); err != nil {
		web.RecordError(ctx, err)
		return down
	}
	return up
}

package page

import (
	"context"
	"net/http"
	"strconv"
	"sync"

	"craftista/frontend/internal/session"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// The addresses in this file speak JSON to scripts; they hand on what the
// services say.

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

// apiProducts answers GET /api/products, paging in the Link header.
func (s *site) apiProducts(w http.ResponseWriter, r *http.Request) error {
	path := "/api/products"
	if query := r.URL.Query().Encode(); query != "" {
		path += "?" + query
	}
	raw, header, err := s.services.Catalogue.Raw(r.Context(), path, "")
	if err != nil {
		return err
	}
	if links := header.Values("Link"); len(links) > 0 {
		w.Header()["Link"] = links
	}
	return web.ReplyTagged(w, r, "no-cache", raw)
}

// apiVotes answers GET /api/origamis/{id}/votes.
func (s *site) apiVotes(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	raw, _, err := s.services.Catalogue.Raw(r.Context(), productVotes(id), "")
	if err != nil {
		return err
	}
	return web.ReplyTagged(w, r, "no-cache", raw)
}

func productVotes(id int64) string { return "/api/origamis/" + strconv.FormatInt(id, 10) + "/votes" }

// apiVote answers POST /api/origamis/{id}/vote for the person of the cookie.
func (s *site) apiVote(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	needsSession := &fault.Error{Kind: fault.Unauthenticated, Message: "this needs a session, sign in first", Code: "invalid_token"}
	who := session.From(r.Context())
	switch {
	case who.Token == "" && who.State == session.Unknown:
		return signInUnavailable()
	case who.Token == "":
		return needsSession
	}
	raw, err := s.services.Catalogue.RawVote(r.Context(), who.Token, id, true)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated && who.State == session.Unknown:
		return signInUnavailable().Because(err)
	case fault.KindOf(err) == fault.Unauthenticated:
		return needsSession.Because(err)
	case err != nil:
		return err
	}
	s.noteVote(w, r)
	return web.Reply(w, http.StatusOK, raw)
}

// apiDaily answers GET /daily-origami.
func (s *site) apiDaily(w http.ResponseWriter, r *http.Request) error {
	raw, _, err := s.services.Recommendation.Raw(r.Context(), "/api/origami-of-the-day", "")
	if err != nil {
		return err
	}
	return web.ReplyTagged(w, r, "no-cache", raw)
}

// apiAuthStatus answers GET /auth/status for the person of the cookie.
func (s *site) apiAuthStatus(w http.ResponseWriter, r *http.Request) error {
	raw, _, err := s.services.Auth.Raw(r.Context(), "/api/auth/status", session.From(r.Context()).Token)
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, raw)
}

// apiServiceStatus answers GET /api/service-status. The catalogue counts the
// votes too, so Voting is up when it is.
func (s *site) apiServiceStatus(w http.ResponseWriter, r *http.Request) error {
	reply := serviceStatusReply{Frontend: up}
	var wg sync.WaitGroup
	wg.Go(func() { reply.Catalogue = state(r.Context(), s.services.Catalogue.Ready) })
	wg.Go(func() { reply.Recommendation = state(r.Context(), s.services.Recommendation.Ready) })
	wg.Go(func() { reply.Authentication = state(r.Context(), s.services.Auth.Ready) })
	wg.Wait()
	reply.Voting = reply.Catalogue
	return web.Reply(w, http.StatusOK, reply)
}

// apiRecommendationStatus answers GET /recommendation-status.
func (s *site) apiRecommendationStatus(w http.ResponseWriter, r *http.Request) error {
	return replyState(w, state(r.Context(), s.services.Recommendation.Ready), "recommendations")
}

// apiVotingStatus answers GET /votingservice-status.
func (s *site) apiVotingStatus(w http.ResponseWriter, r *http.Request) error {
	return replyState(w, state(r.Context(), s.services.Catalogue.Ready), "voting")
}

func replyState(w http.ResponseWriter, state, what string) error {
	message := what + " can be used"
	if state == down {
		message = what + " cannot be used now"
	}
	return web.Reply(w, http.StatusOK, stateReply{Status: state, Message: message})
}

func state(ctx context.Context, ready func(context.Context) error) string {
	if err := ready(ctx); err != nil {
		web.NoteFailure(ctx, err)
		return down
	}
	return up
}

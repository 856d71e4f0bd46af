package api

import (
	"net/http"
	"time"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/web"
)

type refreshRequest struct {
	RefreshToken string `json:"refresh_token"`
}

// tokensReply is RFC 6749 section 5.1, and when the refresh token expires.
type tokensReply struct {
	AccessToken      string `json:"access_token"`
	TokenType        string `json:"token_type"`
	ExpiresIn        int64  `json:"expires_in"` // s
	RefreshToken     string `json:"refresh_token"`
	RefreshExpiresIn int64  `json:"refresh_expires_in"` // s
}

// refresh answers POST /api/auth/refresh.
func (a accounts) refresh(w http.ResponseWriter, r *http.Request, in refreshRequest) error {
	if in.RefreshToken == "" {
		return fault.New(fault.BadRequest, "refresh_token is needed")
	}
	next, err := a.Sessions.Rotate(r.Context(), in.RefreshToken, "", func(session.Family) error { return nil })
	if err != nil {
		return err
	}
	return a.replyTokens(w, next)
}

// logout answers POST /api/auth/logout, with 204 whatever the token: whoever
// wants to be signed out is. A body of another shape, or a database that does not
// answer, is an error all the same, since then nothing was revoked.
func (a accounts) logout(w http.ResponseWriter, r *http.Request, in refreshRequest) error {
	return noContent(w, a.Sessions.RevokeByToken(r.Context(), in.RefreshToken))
}

// replyTokens sends the refresh token with a new access token.
func (a accounts) replyTokens(w http.ResponseWriter, refresh session.IssuedToken) error {
	access, err := a.Issuer.Mint(refresh.Family, "", time.Now())
	return reply(w, tokensReply{
		AccessToken: access, TokenType: "Bearer", ExpiresIn: int64(a.Issuer.Lifetime / time.Second),
		RefreshToken: refresh.Token, RefreshExpiresIn: int64(refresh.ExpiresIn / time.Second),
	}, err)
}

// reply answers 200 with v unless there was an error.
func reply(w http.ResponseWriter, v any, err error) error {
	if err != nil {
		return err
	}
	return web.Reply(w, http.StatusOK, v)
}

// noContent answers 204 unless there was an error.
func noContent(w http.ResponseWriter, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

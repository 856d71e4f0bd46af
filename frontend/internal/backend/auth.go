package backend

import (
	"context"
	"net/http"
	"time"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// Auth is the client of auth.
type Auth struct {
	client
	internalKey string
}

// Grant is what a sign-in yields, and each refresh of it. Both tokens are secret.
type Grant struct {
	AccessToken  string
	Life         time.Duration // of the access token
	RefreshToken string        // to be used once
	RefreshLife  time.Duration
}

// Login signs a person in by username or e-mail. Unauthenticated means that the
// two do not match, Throttled that there were too many tries.
func (c Auth) Login(ctx context.Context, username, password string) (Grant, error) {
	return c.grant(ctx, "/api/auth/login", map[string]string{"username": username, "password": password})
}

// Refresh gives a new pair of tokens for a refresh token, within ReadTimeout.
// Unauthenticated means that the person has to sign in again.
func (c Auth) Refresh(ctx context.Context, refreshToken string) (Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	return c.grant(ctx, "/api/auth/refresh", map[string]string{"refresh_token": refreshToken})
}

// Logout revokes the refresh token and all that came of the same sign-in, within
// ReadTimeout.
func (c Auth) Logout(ctx context.Context, refreshToken string) error {
	ctx, cancel := context.WithTimeout(ctx, ReadTimeout)
	defer cancel()
	_, err := c.call(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/logout", Body: map[string]string{"refresh_token": refreshToken},
	}, nil)
	return err
}

func (c Auth) grant(ctx context.Context, path string, body map[string]string) (Grant, error) {
	var reply struct {
		AccessToken      string `json:"access_token"`
		ExpiresIn        int64  `json:"expires_in"` // s
		RefreshToken     string `json:"refresh_token"`
		RefreshExpiresIn int64  `json:"refresh_expires_in"` // s
	}
	_, err := c.call(ctx, web.Request{Method: http.MethodPost, Path: path, Body: body}, &reply)
	switch {
	case err != nil:
		return Grant{}, err
	case reply.AccessToken == "" || reply.RefreshToken == "":
		return Grant{}, fault.New(fault.Unavailable, "sign-in answers without tokens")
	}
	return Grant{
		AccessToken: reply.AccessToken, Life: time.Duration(reply.ExpiresIn) * time.Second,
		RefreshToken: reply.RefreshToken, RefreshLife: time.Duration(reply.RefreshExpiresIn) * time.Second,
	}, nil
}

// Register makes an account. Conflict means that the username or the e-mail is
// taken, Invalid lists the fields that break a rule.
func (c Auth) Register(ctx context.Context, username, email, password string) error {
	_, err := c.call(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/register",
		Header: http.Header{"X-Internal-Api-Key": {c.internalKey}},
		Body:   map[string]string{"username": username, "email": email, "password": password},
	}, nil)
	return err
}

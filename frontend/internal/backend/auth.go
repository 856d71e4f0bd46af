package backend

import (
	"context"
	"fmt"
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
	RefreshToken string // to be used once
	RefreshLife  time.Duration
}

// Browser is what a person's browser tells by itself: Address is where it
// connects from, which auth throttles by; Agent is its User-Agent, by which the
// person will know the session.
type Browser struct{ Address, Agent string }

// Login signs a person in by username or e-mail; bearer is for who signs in again, and
// may be "". Unauthenticated means that the
// two do not match, Throttled that there were too many tries.
func (c Auth) Login(ctx context.Context, by Browser, bearer, username, password string) (Grant, error) {
	return c.grant(ctx, web.Request{
		Path: "/api/auth/login", Header: c.onBehalfOf(by), Bearer: bearer,
		Body: map[string]string{"username": username, "password": password},
	})
}

// onBehalfOf are the headers that tell auth whom a request is for. They count
// only together with the key.
func (c Auth) onBehalfOf(by Browser) http.Header {
	return http.Header{
		"X-Internal-Api-Key": {c.internalKey}, "X-Client-Address": {by.Address}, "X-Client-Agent": {by.Agent},
	}
}

// Refresh gives a new pair of tokens for a refresh token, within half the time of a page.
// Unauthenticated means that the person has to sign in again. After any other
// failure the token may be tried again: auth gives it a while of grace.
func (c Auth) Refresh(ctx context.Context, refreshToken string) (Grant, error) {
	ctx, cancel := context.WithTimeout(ctx, SessionTimeout(c.pageTimeout))
	defer cancel()
	return c.grant(ctx, web.Request{Path: "/api/auth/refresh", Body: map[string]string{"refresh_token": refreshToken}})
}

// Logout revokes the refresh token and all that came of the same sign-in, within
// the time of a page.
func (c Auth) Logout(ctx context.Context, refreshToken string) error {
	ctx, cancel := context.WithTimeout(ctx, c.pageTimeout)
	defer cancel()
	return c.do(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/logout", Body: map[string]string{"refresh_token": refreshToken},
	})
}

// grant posts the request and reads a pair of tokens.
func (c Auth) grant(ctx context.Context, r web.Request) (Grant, error) {
	var reply struct {
		AccessToken      string `json:"access_token"`
		RefreshToken     string `json:"refresh_token"`
		RefreshExpiresIn int64  `json:"refresh_expires_in"` // s
	}
	r.Method = http.MethodPost
	_, err := c.call(ctx, r, &reply)
	switch {
	case err != nil:
		return Grant{}, err
	case reply.AccessToken == "" || reply.RefreshToken == "":
		return Grant{}, fault.New(fault.Unavailable, "sign-in answers without tokens")
	}
	return Grant{
		AccessToken: reply.AccessToken, RefreshToken: reply.RefreshToken,
		RefreshLife: time.Duration(reply.RefreshExpiresIn) * time.Second,
	}, nil
}

// Register makes an account for a person. Conflict means that the username or the
// e-mail is taken, Invalid lists the fields that break a rule, Throttled is as for
// Login.
func (c Auth) Register(ctx context.Context, by Browser, username, email, password string) error {
	return keyRefused(c.do(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/register",
		Header: c.onBehalfOf(by),
		Body:   map[string]string{"username": username, "email": email, "password": password},
	}))
}

// keyRefused is err without its kind where auth refused the internal key: that is
// ours to mend and no fault of the person's, so it must not be shown as theirs.
func keyRefused(err error) error {
	if fault.KindOf(err) == fault.Unauthenticated {
		return fmt.Errorf("auth refuses the internal API key: %s", err.Error())
	}
	return err
}

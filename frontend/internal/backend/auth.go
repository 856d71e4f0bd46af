package backend

import (
	"context"
	"net/http"
	"time"

	"craftista/shared/web"
)

// Auth is the client of auth.
type Auth struct {
	client
	internalKey string
}

// Grant is what a sign-in yields.
type Grant struct {
	AccessToken string
	Life        time.Duration
}

// Login signs a person in by username or e-mail. Unauthenticated means that the
// two do not match, Throttled that there were too many tries.
func (c Auth) Login(ctx context.Context, username, password string) (Grant, error) {
	var reply struct {
		AccessToken string `json:"access_token"`
		ExpiresIn   int64  `json:"expires_in"` // seconds
	}
	_, err := c.call(ctx, web.Request{Method: http.MethodPost, Path: "/api/auth/login", Body: map[string]string{
		"username": username, "password": password,
	}}, &reply)
	return Grant{AccessToken: reply.AccessToken, Life: time.Duration(reply.ExpiresIn) * time.Second}, err
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

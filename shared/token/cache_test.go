package token_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"

	"github.com/golang-jwt/jwt/v5"
)

// source is a token.Source without a network, whose key and revoked sign-in change.
type source struct {
	mu      sync.Mutex
	key     *rsa.PublicKey
	revoked string
}

func (s *source) KeyfuncCtx(context.Context) jwt.Keyfunc {
	return func(*jwt.Token) (any, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.key == nil {
			return nil, errors.New("no such key")
		}
		return s.key, nil
	}
}

func (s *source) Revoked(_ context.Context, session string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return session == s.revoked, nil
}

// TestVerifiedTokensEnd has tokens that were good, each verified twice before it ends.
func TestVerifiedTokensEnd(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for name, end := range map[string]func(*source){
		"it expires":                 func(*source) { <-time.After(time.Hour + 2*time.Second) },
		"its key is withdrawn":       func(s *source) { s.key = nil },
		"its key's id is of another": func(s *source) { s.key = &other.PublicKey },
		"its sign-in has been ended": func(s *source) { s.revoked = "5" },
		"the machine slept a day":    func(*source) { <-time.After(24 * time.Hour) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				source := &source{key: &issuer.Key.PublicKey}
				verifier := token.NewVerifier(source, issuer.URL, tokentest.Audience)
				raw := issuer.MintWith(7, token.RoleUser, func(_ *jwt.Token, c *token.Claims) { c.Session = "5" })
				for range 2 {
					if got, err := verifier.Verify(t.Context(), raw); err != nil || got.ID != 7 || got.Session != "5" {
						t.Fatalf("got %+v, %v", got, err)
					}
				}
				source.mu.Lock()
				end(source)
				source.mu.Unlock()
				if got, err := verifier.Verify(t.Context(), raw); fault.KindOf(err) != fault.Unauthenticated {
					t.Errorf("got %+v, %v; want it refused", got, err)
				}
			})
		})
	}
}

package token_test

import (
	"context"
	"testing"
	"time"

	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"

	"github.com/golang-jwt/jwt/v5"
)

// TestARememberedTokenStillEnds, even though its signature is not checked again.
func TestARememberedTokenStillEnds(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	v := issuer.Verifier()
	ends := time.Now().Add(time.Second)
	raw := issuer.MintWith(7, token.RoleUser, func(_ *jwt.Token, c *token.Claims) { c.ExpiresAt = jwt.NewNumericDate(ends) })
	if user, err := v.Verify(t.Context(), raw); err != nil || user.ID != 7 {
		t.Fatalf("%+v, %v", user, err)
	}
	for deadline := time.After(10 * time.Second); ; {
		if _, err := v.Verify(t.Context(), raw); err != nil {
			if fault.KindOf(err) != fault.Unauthenticated || time.Now().Before(ends.Truncate(time.Second)) {
				t.Errorf("at %v, which ends at %v: %v", time.Now(), ends, err)
			}
			return
		}
		select {
		case <-deadline:
			t.Fatal("the token is good for ever")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// TestBadTokensAreNotRemembered: once the keys can be had, a token that could
// not be checked is good, and one that is not good never is.
func TestBadTokensAreNotRemembered(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	v := issuer.Verifier()
	good := issuer.Mint(7, token.RoleUser)
	for range 3 {
		for _, bad := range issuer.Bads() {
			if user, err := v.Verify(t.Context(), bad.Token); fault.KindOf(err) != fault.Unauthenticated || user != (token.User{}) {
				t.Errorf("%s: %+v, %v", bad.Name, user, err)
			}
		}
		if _, err := v.Verify(t.Context(), good); err != nil {
			t.Error(err)
		}
	}
	hungUp, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Verify(hungUp, good); err != nil {
		t.Errorf("a remembered token, for a request that ended: %v", err)
	}
}

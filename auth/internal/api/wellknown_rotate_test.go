package api_test

import (
	"context"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/auth/internal/keys"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// TestRotationUnderLoad rotates while people sign in and two verifiers check
// their tokens, with every time scaled down: a verifier caches keys for 0.25 s
// instead of 10 min, and a key is published for 1 s before it signs. A stranger
// uses up all fetches for unknown kids meanwhile. No request may fail.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	const lifetime = 2 * time.Second
	keyDir := t.TempDir() + "/keys"
	s := start(t, setup{
		keyDir: keyDir, lifetime: lifetime, retention: lifetime + 4*time.Second, watch: 20 * time.Millisecond,
	})
	s.person(t)
	first := s.kids(t)[0]
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(stop)
	issued := &issuedTokens{byKid: map[string]int{}}
	for range 2 {
		remote := token.NewRemoteKeys(s.URL+jwksPath, http.DefaultClient)
		remote.MaxAge = 250 * time.Millisecond
		verifier := token.NewVerifier(remote, s.URL, audience)
		wg.Go(func() { s.signInUntil(ctx, t, issued, verifier) })
		wg.Go(func() { verifyUntil(ctx, t, issued, verifier) })
	}
	for range 3 {
		before := s.kids(t)[0]
		if _, _, err := keys.Rotate(keyDir, time.Second, time.Hour); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the new key to sign", func() bool {
			kid := s.kids(t)[0]
			return kid != before && issued.count(kid) > 10
		})
	}
	last := s.kids(t)[0]
	eventually(t, "the old keys to expire", func() bool { return slices.Equal(s.kids(t), []string{last}) })
	stop()
	wg.Wait()
	if issued.count(first) == 0 || len(issued.byKid) != 4 {
		t.Errorf("tokens by kid: %v, want some by each of 4 keys", issued.byKid)
	}
}

// signInUntil signs in again and again, and has each token verified.
func (s *service) signInUntil(ctx context.Context, t *testing.T, issued *issuedTokens, verifier *token.Verifier) {
	for ctx.Err() == nil {
		raw := s.signIn(t)
		if _, err := verifier.Verify(ctx, raw); err != nil && ctx.Err() == nil {
			t.Errorf("a new token: %v", err)
		}
		equal(t, "status", read[statusReply](t, s.getAs(t, raw, statusPath)).Authenticated, true)
		issued.add(t, raw)
	}
}

// verifyUntil verifies tokens that have not expired, and such with an unknown kid.
func verifyUntil(ctx context.Context, t *testing.T, issued *issuedTokens, verifier *token.Verifier) {
	unknownKid := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"x","typ":"at+jwt"}`))
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		raw := issued.random(time.Now())
		if raw == "" {
			continue
		}
		if _, err := verifier.Verify(ctx, raw); err != nil && ctx.Err() == nil {
			t.Errorf("a token that has not expired: %v", err)
		}
		_, rest, _ := strings.Cut(raw, ".")
		if _, err := verifier.Verify(ctx, unknownKid+"."+rest); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("an invented kid: %v", err)
		}
	}
}

// issuedTokens are those that have not expired, and how many each key signed.
type issuedTokens struct {
	mu    sync.Mutex // guards the rest
	byKid map[string]int
	valid []issuedToken
}

type issuedToken struct {
	raw     string
	expires time.Time
}

func (i *issuedTokens) add(t *testing.T, raw string) {
	t.Helper()
	p := claimsOf(t, raw)
	expires, err := p.claims.GetExpirationTime()
	if err != nil {
		t.Error(err)
		return
	}
	kid, _ := p.header["kid"].(string)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.byKid[kid]++
	i.valid = append(i.valid, issuedToken{raw, expires.Time})
}

func (i *issuedTokens) count(kid string) int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.byKid[kid]
}

// random is one of the tokens that have not expired, "" if there is none.
func (i *issuedTokens) random(now time.Time) string {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.valid = slices.DeleteFunc(i.valid, func(t issuedToken) bool { return !t.expires.After(now) })
	if len(i.valid) == 0 {
		return ""
	}
	return i.valid[rand.IntN(len(i.valid))].raw
}

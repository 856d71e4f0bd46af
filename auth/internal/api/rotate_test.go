package api_test

import (
	"context"
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
// their tokens, with every time scaled down: a verifier keeps keys for 0.25 s
// instead of 10 min, and a key is published for 1 s before it signs. A stranger
// uses up all fetches for unknown kids meanwhile. No request may fail.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	const lifetime = 2 * time.Second
	keyDir := t.TempDir() + "/keys"
	s := start(t, setup{keyDir: keyDir, lifetime: lifetime, keep: lifetime + 4*time.Second, watch: 20 * time.Millisecond})
	s.person(t)
	first := s.kids(t)[0]
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	t.Cleanup(stop)
	minted := &ledger{byKid: map[string]int{}}
	for range 2 {
		remote := token.NewRemoteKeys(s.URL+"/.well-known/jwks.json", http.DefaultClient)
		remote.MaxAge = 250 * time.Millisecond
		verifier := token.NewVerifier(remote, s.URL, audience)
		wg.Go(func() { s.signInUntil(ctx, t, minted, verifier) })
		wg.Go(func() { verifyUntil(ctx, t, minted, verifier) })
		wg.Go(func() { inventKidsUntil(ctx, t, minted, verifier) })
	}
	for range 3 {
		before := s.kids(t)[0]
		if _, _, err := keys.Rotate(keyDir, time.Second, time.Hour); err != nil {
			t.Fatal(err)
		}
		await(t, "the new key to sign", func() bool { kid := s.kids(t)[0]; return kid != before && minted.count(kid) > 10 })
	}
	last := s.kids(t)[0]
	await(t, "the old keys to go", func() bool { return slices.Equal(s.kids(t), []string{last}) })
	stop()
	wg.Wait()
	if minted.count(first) == 0 || len(minted.byKid) != 4 {
		t.Errorf("tokens by kid: %v, want some by each of 4 keys", minted.byKid)
	}
	t.Logf("tokens by kid: %v, verified %d times besides", minted.byKid, minted.verified)
}

// signInUntil signs in again and again, and has each token verified.
func (s *service) signInUntil(ctx context.Context, t *testing.T, minted *ledger, verifier *token.Verifier) {
	for ctx.Err() == nil {
		raw := s.signIn(t)
		if _, err := verifier.Verify(ctx, raw); err != nil && ctx.Err() == nil {
			t.Errorf("a new token: %v", err)
			return
		}
		if a := s.get(t, statusPath, "Authorization", "Bearer "+raw); !strings.Contains(a.Body, `"authenticated":true`) {
			t.Errorf("status: %d %s", a.Status, a.Body)
		}
		minted.add(t, raw)
	}
}

// verifyUntil verifies any token that has not expired.
func verifyUntil(ctx context.Context, t *testing.T, minted *ledger, verifier *token.Verifier) {
	every := time.NewTicker(2 * time.Millisecond)
	defer every.Stop()
	for ctx.Err() == nil {
		<-every.C
		raw := minted.any(time.Now())
		if raw == "" {
			continue
		}
		if _, err := verifier.Verify(ctx, raw); err != nil && ctx.Err() == nil {
			t.Errorf("a token that has not expired: %v", err)
			return
		}
	}
}

// inventKidsUntil asks for keys that are not there.
func inventKidsUntil(ctx context.Context, t *testing.T, minted *ledger, verifier *token.Verifier) {
	every := time.NewTicker(5 * time.Millisecond)
	defer every.Stop()
	for ctx.Err() == nil {
		<-every.C
		if raw := minted.any(time.Now()); raw != "" {
			_, rest, _ := strings.Cut(raw, ".")
			const header = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngiLCJ0eXAiOiJhdCtqd3QifQ" // {"alg":"RS256","kid":"x","typ":"at+jwt"}
			if _, err := verifier.Verify(ctx, header+"."+rest); fault.KindOf(err) != fault.Unauthenticated {
				t.Errorf("an invented kid: %v", err)
			}
		}
	}
}

func (s *service) kids(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, key := range read[struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}](t, s.get(t, "/.well-known/jwks.json")).Keys {
		all = append(all, key.Kid)
	}
	return all
}

func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	every, late := time.NewTicker(50*time.Millisecond), time.After(time.Minute)
	defer every.Stop()
	for !holds() {
		select {
		case <-every.C:
		case <-late:
			t.Fatalf("waited a minute for %s", what)
		}
	}
}

// ledger is the tokens that were handed out and have not expired.
type ledger struct {
	mu       sync.Mutex // guards the rest
	byKid    map[string]int
	verified int
	live     []minted
}

type minted struct {
	raw     string
	expires time.Time
}

func (k *ledger) add(t *testing.T, raw string) {
	t.Helper()
	p := claimsOf(t, raw)
	expires, err := p.claims.GetExpirationTime()
	if err != nil {
		t.Error(err)
		return
	}
	kid, _ := p.header["kid"].(string)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.byKid[kid]++
	k.live = append(k.live, minted{raw, expires.Time})
}

func (k *ledger) count(kid string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.byKid[kid]
}

// any is one of the tokens that have not expired, "" if there is none.
func (k *ledger) any(now time.Time) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.live = slices.DeleteFunc(k.live, func(m minted) bool { return !m.expires.After(now) })
	if len(k.live) == 0 {
		return ""
	}
	k.verified++
	return k.live[rand.IntN(len(k.live))].raw
}

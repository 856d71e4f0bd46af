package keys_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth"
	"craftista/auth/internal/account"
	"craftista/auth/internal/issuer"
	"craftista/auth/internal/keys"
	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// TestRotationFailsNobody goes through three rotations with the default settings, in the time of a synctest bubble.
// Tokens are minted all the while, and two verifiers check them. A stranger uses up their fetches for unknown kids.
// No token may be refused.
func TestRotationFailsNobody(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := auth.Default()
		retention := c.AccessTokenTTL + time.Minute
		store := &memory{}
		set := openKeys(t, store)
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { set.Watch(ctx, 2*time.Second, slog.New(slog.DiscardHandler)) })
		synctest.Wait()
		tokens := issuer.New(set, nil, "https://auth.example", "craftista", c.AccessTokenTTL)
		for range 2 {
			remote := token.NewRemoteKeys(tokens.URL, &http.Client{Transport: published{set}})
			verifier := token.NewVerifier(remote, tokens.URL, "craftista")
			running.Go(func() { mintAndVerify(ctx, t, tokens, verifier) })
		}
		for range 3 {
			before := jwks(t, set)
			if _, _, err := set.Rotate(t.Context(), c.KeyActivation); err != nil {
				t.Fatal(err)
			}
			<-time.After(c.KeyActivation + retention + 3*time.Second)
			after := jwks(t, set)
			if strings.Count(after, `"kid"`) != 1 || after == before {
				t.Errorf("keys before %s\nand after %s", before, after)
			}
		}
		stop()
		running.Wait()
	})
}

// mintAndVerify mints a token every 19 s, and verifies it, the oldest that has not expired, and one with an unknown
// kid.
func mintAndVerify(ctx context.Context, t *testing.T, tokens *issuer.Issuer, verifier *token.Verifier) {
	const interval = 19 * time.Second
	unknownKid := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RS256","kid":"x","typ":"at+jwt"}`))
	family := session.Family{ID: 1, Person: account.Person{ID: 1, Username: "crane", Role: token.RoleUser}}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	var valid []string // the newest last
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		raw, err := tokens.Mint(family, "", time.Now())
		if err != nil {
			t.Error(err)
			return
		}
		valid = append(valid, raw)
		valid = valid[max(0, len(valid)-int(tokens.Lifetime/interval)):]
		for _, raw := range []string{raw, valid[0]} {
			if _, err := verifier.Verify(ctx, raw); err != nil {
				t.Errorf("at %v: %v", time.Now(), err)
			}
		}
		_, rest, _ := strings.Cut(raw, ".")
		if _, err := verifier.Verify(ctx, unknownKid+"."+rest); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("an invented kid: %v", err)
		}
	}
}

// published answers every request with the JWK Set.
type published struct{ set *keys.Set }

func (p published) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := p.set.JWKS()
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(bytes.NewReader(body)), Request: r}, err
}

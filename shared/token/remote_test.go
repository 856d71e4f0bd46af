package token_test

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
	"craftista/shared/web"

	"github.com/golang-jwt/jwt/v5"
)

func TestKeysAreFetchedOnceForManyAndRarelyForUnknownKids(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	verifier := issuer.Verifier()
	good := issuer.Mint(1, token.RoleUser)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() {
			if _, err := verifier.Verify(t.Context(), good); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := issuer.Fetches.Load(); got != 1 {
		t.Errorf("%d fetches for 50 first tokens, want 1", got)
	}
	unknown := issuer.MintWith(1, token.RoleUser, func(t *jwt.Token, _ *token.Claims) { t.Header["kid"] = "x" })
	for range 20 {
		if _, err := verifier.Verify(t.Context(), unknown); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("unknown kid: %v", err)
		}
	}
	if got := issuer.Fetches.Load(); got != 2 {
		t.Errorf("%d fetches after 20 tokens with an unknown kid, want 2", got)
	}
}

func TestNewKeyIsFoundWithoutARestart(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	verifier := issuer.Verifier()
	if _, err := verifier.Verify(t.Context(), issuer.Mint(1, token.RoleUser)); err != nil {
		t.Fatal(err)
	}
	rotated, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	issuer.Key, issuer.Kid = rotated, "rotated"
	if _, err := verifier.Verify(t.Context(), issuer.Mint(1, token.RoleUser)); err != nil {
		t.Errorf("token by the new key: %v", err)
	}
}

func TestKeysThatCannotBeFetchedAreNotTheCallersFault(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	issuer.Down.Store(true)
	keys := token.NewRemoteKeys(issuer.JWKSURL(), http.DefaultClient)
	_, err := token.NewVerifier(keys, issuer.URL, tokentest.Audience).Verify(t.Context(), issuer.Mint(1, token.RoleUser))
	if fault.KindOf(err) != fault.Unavailable || web.FaultOf(err).RetryAfter == 0 {
		t.Errorf("got %v, want Unavailable with a time to retry", err)
	}
	if err := keys.Ready(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("ready says %v", err)
	}
}

// TestKeysWithoutEnd: what does not end is not collected in memory.
func TestKeysWithoutEnd(t *testing.T) {
	t.Parallel()
	var sent atomic.Int64
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, err := w.Write([]byte(`{"keys":["`)); err == nil; sent.Add(64 << 10) {
			_, err = w.Write(bytes.Repeat([]byte("k"), 64<<10))
		}
	}))
	t.Cleanup(auth.Close)
	keys := token.NewRemoteKeys(auth.URL, web.NewHTTPClient(web.RequestTimeout, telemetry.Discard()))
	if err := keys.Ready(t.Context()); fault.KindOf(err) != fault.Unavailable || sent.Load() > 32<<20 {
		t.Errorf("got %v after %d bytes, want Unavailable after a few million", err, sent.Load())
	}
}

// TestRevokedSignInsAreFetchedAgain, and what was fetched stays while auth is unavailable.
func TestRevokedSignInsAreFetchedAgain(t *testing.T) {
	t.Parallel()
	issuer := tokentest.New(t)
	keys := token.NewRemoteKeys(issuer.JWKSURL(), http.DefaultClient)
	keys.MaxAge = 0
	verifier := token.NewVerifier(keys, issuer.URL, tokentest.Audience)
	raw := issuer.MintWith(1, token.RoleUser, func(_ *jwt.Token, c *token.Claims) { c.Session = "7" })
	if _, err := verifier.Verify(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
	issuer.Revoked.Store([]string{"7"})
	for _, down := range []bool{false, true, true} {
		issuer.Down.Store(down)
		if _, err := verifier.Verify(t.Context(), raw); web.FaultOf(err).Code != "invalid_token" {
			t.Errorf("auth down %v: %v", down, err)
		}
	}
}

// TestOneRequestFetchesWhileOthersGoOn: the keys are due again while auth hangs.
func TestOneRequestFetchesWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	hangs, release := make(chan struct{}), make(chan struct{})
	var fetches atomic.Int64
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" && fetches.Add(1) == 2 {
			close(hangs)
			<-release
		}
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	t.Cleanup(auth.Close)
	keys := token.NewRemoteKeys(auth.URL, http.DefaultClient)
	keys.MaxAge = 0
	if err := keys.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	fetcher := make(chan error, 1)
	go func() { fetcher <- keys.Ready(t.Context()) }()
	<-hangs
	for range 100 { // none of them waits, or this test would not end
		if err := keys.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := fetches.Load(); got != 2 || len(fetcher) > 0 {
		t.Errorf("%d fetches, want the first and one that hangs", got)
	}
	close(release)
	if err := <-fetcher; err != nil {
		t.Error(err)
	}
}

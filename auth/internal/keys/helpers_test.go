package keys_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/keys"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const (
	retention  = 16 * time.Minute // how long keys stay published here after they signed
	activation = 20 * time.Minute
	interval   = 2 * time.Second
	secret     = "of these tests"
)

// memory is a store like the database.
type memory struct {
	mu  sync.Mutex // guards all
	all []keys.Sealed
}

func (m *memory) SigningKeys(context.Context) ([]keys.Sealed, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.SortedFunc(slices.Values(m.all), func(a, b keys.Sealed) int { return b.From.Compare(a.From) }), nil
}

func (m *memory) AddSigningKey(_ context.Context, key keys.Sealed) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.ContainsFunc(m.all, func(k keys.Sealed) bool { return k.From.Equal(key.From) }) {
		return false, nil
	}
	m.all = append(m.all, key)
	return true, nil
}

func (m *memory) RemoveSigningKey(_ context.Context, from time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = slices.DeleteFunc(m.all, func(k keys.Sealed) bool { return k.From.Equal(from) })
	return nil
}

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}

// wantError checks the end of the error's text.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// advance moves the clock of a synctest bubble, and lets the watch read the keys.
func advance(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

func openKeys(t *testing.T, store keys.Store) *keys.Set {
	t.Helper()
	set, err := keys.New(store, secret, retention)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// replica has read the keys, and reads no more.
func replica(t *testing.T, store keys.Store) *keys.Set {
	t.Helper()
	set := openKeys(t, store)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); set.Watch(ctx, interval, slog.New(slog.DiscardHandler)) }()
	synctest.Wait()
	stop()
	<-done
	return set
}

func jwks(t *testing.T, set *keys.Set) string {
	t.Helper()
	text, err := set.JWKS()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func kids(t *testing.T, set *keys.Set) []string {
	t.Helper()
	var published struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal([]byte(jwks(t, set)), &published); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, key := range published.Keys {
		all = append(all, key.Kid)
	}
	return all
}

// watch runs until the test of the synctest bubble ends. It has read the keys once.
func watch(t *testing.T, set *keys.Set, logged *bytes.Buffer) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { set.Watch(ctx, interval, slog.New(slog.NewTextHandler(logged, nil))) })
	t.Cleanup(func() { stop(); done.Wait() })
	synctest.Wait()
}

// rotate must work.
func rotate(t *testing.T, set *keys.Set) (added time.Time, removed []time.Time) {
	t.Helper()
	added, removed, err := set.Rotate(t.Context(), activation)
	if err != nil {
		t.Fatal(err)
	}
	return added, removed
}

type state struct {
	From  time.Time
	State string
}

func wantStates(t *testing.T, set *keys.Set, want ...state) {
	t.Helper()
	all, err := set.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []state
	for _, s := range all {
		got = append(got, state{s.From, s.State})
	}
	equal(t, "states", got, want)
}

func sign(t *testing.T, set *keys.Set) string {
	t.Helper()
	raw, err := set.Sign("at+jwt", jwt.RegisteredClaims{Subject: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signerOf is the kid in the token, which set must verify.
func signerOf(t *testing.T, set *keys.Set, raw string) string {
	t.Helper()
	parsed, err := jwt.Parse(raw, set.KeyfuncCtx(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := parsed.Header["kid"].(string)
	equal(t, "header", parsed.Header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": kid})
	return kid
}

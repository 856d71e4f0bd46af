package session_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/shared/telemetry"
	"craftista/shared/token/tokentest"
)

// renewing is a keeper with a fake auth behind it.
type renewing struct {
	*session.Keeper
	calls   atomic.Int32           // of refresh
	arrived chan struct{}          // gets one for each call, if there is room
	gate    chan struct{}          // refreshes wait until it is closed
	answer  http.HandlerFunc       // instead of tokens; may be nil
	life    int                    // s, of access tokens
	ahead   atomic.Int64           // how far the keeper's clock is, in ns
	logouts atomic.Pointer[string] // the token of the last
}

func newRenewing(t *testing.T) *renewing {
	t.Helper()
	issuer := tokentest.New(t)
	k := &renewing{arrived: make(chan struct{}, 1), gate: make(chan struct{}), life: 900}
	access := issuer.Mint(7, "user")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/refresh", func(w http.ResponseWriter, _ *http.Request) {
		n := k.calls.Add(1)
		select {
		case k.arrived <- struct{}{}:
		default:
		}
		<-k.gate
		if k.answer != nil {
			k.answer(w, nil)
			return
		}
		_, _ = fmt.Fprintf(w, `{"access_token": %q, "expires_in": %d, "refresh_token": "r%d", "refresh_expires_in": 3600}`,
			access, k.life, n)
	})
	mux.HandleFunc("POST /api/auth/logout", func(w http.ResponseWriter, r *http.Request) {
		var in map[string]string
		_ = json.NewDecoder(r.Body).Decode(&in)
		token := in["refresh_token"]
		k.logouts.Store(&token)
		w.WriteHeader(http.StatusNoContent)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	auth := backend.New(backend.URLs{Auth: server.URL}, "", telemetry.Discard()).Auth
	k.Keeper = session.NewKeeper(issuer.Verifier(), auth, false,
		func() time.Time { return time.Now().Add(time.Duration(k.ahead.Load())) })
	return k
}

func refreshCookie(value string) *http.Cookie {
	return &http.Cookie{Name: "craftista_refresh", Value: value}
}

// expect asks with the refresh token alone.
func (k *renewing) expect(t *testing.T, refresh string, state session.State, calls int32) http.Header {
	t.Helper()
	got, h := ask(t, k.Keeper, false, refreshCookie(refresh))
	if got.State != state || k.calls.Load() != calls {
		t.Errorf("%.20s: state %d after %d calls, want %d and %d", refresh, got.State, k.calls.Load(), state, calls)
	}
	return h
}

// TestRenewalIsRemembered serves who comes late with the old cookie, for ten
// seconds, for as long as the access token lives, and until sign-out.
func TestRenewalIsRemembered(t *testing.T) {
	t.Parallel()
	k := newRenewing(t)
	close(k.gate)
	first := k.expect(t, "r0", session.SignedIn, 1)
	k.ahead.Store(int64(9 * time.Second))
	late := k.expect(t, "r0", session.SignedIn, 1)
	if got, want := fmt.Sprint(late["Set-Cookie"]), fmt.Sprint(first["Set-Cookie"]); got != want ||
		len(first["Set-Cookie"]) != 2 {
		t.Errorf("late cookies %q, want %q", got, want)
	}
	k.ahead.Store(int64(11 * time.Second))
	k.expect(t, "r0", session.SignedIn, 2)

	for i, signedOut := range []string{"s", fmt.Sprintf("r%d", 4)} { // the token brought, and the one it gave
		k.expect(t, "s", session.SignedIn, int32(3+i))
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/logout", nil)
		r.AddCookie(refreshCookie(signedOut))
		k.SignOut(httptest.NewRecorder(), r)
		if got := k.logouts.Load(); got == nil || *got != signedOut {
			t.Errorf("auth was not told of %s", signedOut)
		}
	}
	k.expect(t, "s", session.SignedIn, 5)

	k.life = 2
	k.expect(t, "short", session.SignedIn, 6)
	k.ahead.Add(int64(3 * time.Second))
	k.expect(t, "short", session.SignedIn, 7)
}

// TestMemoryIsBounded renews for more people than are remembered.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	k := newRenewing(t)
	close(k.gate)
	const remembered = 1024
	for i := range int32(remembered + 1) {
		k.expect(t, fmt.Sprint("person", i), session.SignedIn, i+1)
	}
	k.expect(t, "person0", session.SignedIn, remembered+1)
	k.expect(t, fmt.Sprint("person", remembered), session.SignedIn, remembered+2)
	k.ahead.Store(int64(11 * time.Second))
	k.expect(t, "new", session.SignedIn, remembered+3)
	k.expect(t, "new", session.SignedIn, remembered+3)
}

// TestFailuresAreNotRemembered covers what auth may say besides tokens: only its
// refusal ends a session.
func TestFailuresAreNotRemembered(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]session.State{
		http.StatusUnauthorized: session.Expired, http.StatusTooManyRequests: session.Unknown,
		http.StatusNotFound:            session.Unknown,
		http.StatusInternalServerError: session.Unknown, http.StatusServiceUnavailable: session.Unknown,
		http.StatusOK: session.Unknown,
	} {
		k := newRenewing(t)
		k.answer = func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status); _, _ = w.Write([]byte("{}")) }
		close(k.gate)
		for calls := range int32(2) {
			h := k.expect(t, "r0", want, calls+1)
			if got := len(h["Set-Cookie"]) > 0; got != (want == session.Expired) {
				t.Errorf("%d: cookies %q", status, h["Set-Cookie"])
			}
		}
	}
	k := newRenewing(t)
	close(k.gate)
	k.expect(t, strings.Repeat("r", 513), session.SignedOut, 0) // none of auth's
}

// TestOneWhoHangsUpSpoilsNothing cancels the request that makes the call while
// others wait for it, and one of those.
func TestOneWhoHangsUpSpoilsNothing(t *testing.T) {
	t.Parallel()
	k := newRenewing(t)
	gone, hangUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { askWithin(gone, t, k.Keeper, false, refreshCookie("r0")) })
	<-k.arrived
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, h := askWithin(impatient, t, k.Keeper, false, refreshCookie("r0")); got.State != session.Unknown ||
		len(h["Set-Cookie"]) > 0 {
		t.Errorf("impatient: state %d, cookies %q", got.State, h["Set-Cookie"])
	}
	hangUp()
	for range 9 {
		wg.Go(func() {
			if got, h := ask(t, k.Keeper, false, refreshCookie("r0")); got.State != session.SignedIn ||
				len(h["Set-Cookie"]) != 2 {
				t.Errorf("another: state %d, cookies %q", got.State, h["Set-Cookie"])
			}
		})
	}
	close(k.gate)
	wg.Wait()
	if got, _ := askWithin(gone, t, k.Keeper, false, refreshCookie("r1")); got.State != session.Unknown ||
		k.calls.Load() != 1 {
		t.Errorf("state %d after %d calls, want no call for nobody", got.State, k.calls.Load())
	}
}

package session_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
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
	*session.Manager
	calls   atomic.Int32     // of refresh
	arrived chan struct{}    // gets one for each call, if there is room
	gate    chan struct{}    // refreshes wait until it is closed
	answer  http.HandlerFunc // instead of tokens; may be nil
}

func newRenewing(t *testing.T) *renewing {
	t.Helper()
	issuer := tokentest.New(t)
	k := &renewing{arrived: make(chan struct{}, 1), gate: make(chan struct{})}
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
		_, _ = fmt.Fprintf(w, `{"access_token": %q, "expires_in": 900, "refresh_token": "r%d", "refresh_expires_in": 3600}`,
			access, n)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	auth := backend.New(backend.URLs{Auth: server.URL}, "", backend.PageTimeout, telemetry.Discard()).Auth
	k.Manager = session.NewManager(issuer.Verifier(), auth, false, time.Now)
	return k
}

func refreshCookie(value string) *http.Cookie {
	return &http.Cookie{Name: "craftista_refresh", Value: value}
}

// expect asks with the refresh token alone.
func (k *renewing) expect(t *testing.T, refresh string, state session.State, calls int32) http.Header {
	t.Helper()
	got, h := ask(t, k.Manager, false, refreshCookie(refresh))
	if got.State != state || k.calls.Load() != calls {
		t.Errorf("%.20s: state %d after %d calls, want %d and %d", refresh, got.State, k.calls.Load(), state, calls)
	}
	return h
}

// TestOnlyARefusalEndsASession covers what auth may say besides tokens.
func TestOnlyARefusalEndsASession(t *testing.T) {
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

// waiting counts who waits for the context's end.
type waiting struct {
	context.Context
	n *atomic.Int32
}

func (c waiting) Done() <-chan struct{} {
	c.n.Add(1)
	return c.Context.Done()
}

// TestTenAtOnceRenewOnce is a browser that restores ten tabs. The one whose request
// makes the call hangs up while the others wait for it, and so does one of those.
func TestTenAtOnceRenewOnce(t *testing.T) {
	t.Parallel()
	k := newRenewing(t)
	var n atomic.Int32
	gone, hangUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { askWithin(gone, t, k.Manager, false, refreshCookie("r0")) })
	<-k.arrived
	impatient, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if got, h := askWithin(impatient, t, k.Manager, false, refreshCookie("r0")); got.State != session.Unknown ||
		len(h["Set-Cookie"]) > 0 {
		t.Errorf("impatient: state %d, cookies %q", got.State, h["Set-Cookie"])
	}
	hangUp()
	const others = 9
	for range others {
		wg.Go(func() {
			if got, h := askWithin(waiting{t.Context(), &n}, t, k.Manager, false, refreshCookie("r0")); got.State !=
				session.SignedIn || len(h["Set-Cookie"]) != 2 {
				t.Errorf("another: state %d, cookies %q", got.State, h["Set-Cookie"])
			}
		})
	}
	for n.Load() < others {
		runtime.Gosched()
	}
	close(k.gate)
	wg.Wait()
	if got, _ := askWithin(gone, t, k.Manager, false, refreshCookie("r1")); got.State != session.Unknown ||
		k.calls.Load() != 1 {
		t.Errorf("state %d after %d calls, want no call for nobody", got.State, k.calls.Load())
	}
}

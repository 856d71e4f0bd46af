package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

const (
	refreshPath = "/api/auth/refresh"
	logoutPath  = "/api/auth/logout"
)

// clock is a service's now, moved by hand.
type clock struct {
	mu sync.Mutex // guards at
	at time.Time
}

// newClock shows a time that PostgreSQL can keep.
func newClock() *clock { return &clock{at: time.Now().Truncate(time.Microsecond)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (s *service) refreshed(t *testing.T, raw string) tokens {
	t.Helper()
	a := s.refresh(t, raw)
	if a.Status != http.StatusOK {
		t.Fatalf("refresh: %d %s", a.Status, a.Body)
	}
	return read[tokens](t, a)
}

func (s *service) refusesRefresh(t *testing.T, raw string) {
	t.Helper()
	a := s.refresh(t, raw)
	want := problemOf(http.StatusUnauthorized, refreshPath, "the refresh token is not good any more, sign in again")
	if diff := cmp.Diff(read[problem](t, a), want); diff != "" {
		t.Errorf("problem (-got +want):\n%s", diff)
	}
	if got, want := a.Header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`; got != want {
		t.Errorf("WWW-Authenticate %q, want %q", got, want)
	}
}

func (s *service) count(t *testing.T, query string) int {
	t.Helper()
	var n int
	if err := s.admin.GetContext(t.Context(), &n, query); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestRefreshTenTimesInSequence(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	last := s.tokens(t)
	seen := map[string]bool{last.Refresh: true}
	for range 10 {
		clock.advance(time.Hour)
		next := s.refreshed(t, last.Refresh)
		if diff := cmp.Diff(next, tokens{next.Access, "Bearer", 900, next.Refresh, 2592000}); diff != "" {
			t.Errorf("reply (-got +want):\n%s", diff)
		}
		if seen[next.Refresh] {
			t.Fatal("a refresh token came twice")
		}
		seen[next.Refresh] = true
		a := s.get(t, statusPath, "Authorization", "Bearer "+next.Access)
		if !read[statusReply](t, a).Authenticated {
			t.Errorf("the new access token: %s", a.Body)
		}
		last = next
	}
	if got := s.count(t, `SELECT count(*) FROM auth.refresh_families`); got != 1 {
		t.Errorf("%d families, want 1", got)
	}
}

func TestRefreshTokensAreKeptAsHashes(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.tokens(t).Refresh
	var got bool
	const query = `SELECT bool_and(hash = sha256($1::bytea)) FROM auth.refresh_tokens`
	if err := s.admin.GetContext(t.Context(), &got, query, raw); err != nil || !got {
		t.Errorf("hashes are SHA-256: %t, %v", got, err)
	}
}

func TestRefreshCarriesThePersonAsTheyAreNow(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.tokens(t).Refresh
	s.exec(t, s.admin, `UPDATE auth.users SET role = 'curator', username = 'Heron'`)
	claims := claimsOf(t, s.refreshed(t, raw).Access).claims
	got := []any{claims["role"], claims["preferred_username"]}
	if diff := cmp.Diff(got, []any{token.RoleCurator, "Heron"}); diff != "" {
		t.Errorf("role and name (-got +want):\n%s", diff)
	}
}

func TestUsedTokenWorksInsideItsGrace(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(9 * time.Second)
	other := s.refreshed(t, first).Refresh // of the lost answer, or the second tab
	clock.advance(time.Minute)
	for _, raw := range []string{second, other} {
		s.refreshed(t, raw)
	}
	if strings.Contains(s.logs.String(), "reused") {
		t.Errorf("a security event is logged:\n%s", s.logs)
	}
}

func TestReuseAfterTheGraceEndsTheFamily(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	apart := s.tokens(t).Refresh
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(9 * time.Second)
	s.refreshed(t, first) // does not prolong the grace
	clock.advance(2 * time.Second)
	s.refusesRefresh(t, first)
	s.refusesRefresh(t, second) // not used yet, whoever has it
	s.refusesRefresh(t, first)
	s.refreshed(t, apart)
	logged := s.logs.String()
	if got := strings.Count(logged, `"level":"WARN","msg":"refresh token reused","service":"auth","user_id":1,"family_id":2`); got != 1 {
		t.Errorf("the event is logged %d times, want once:\n%s", got, logged)
	}
	for _, raw := range []string{first, second, apart} {
		if strings.Contains(logged, raw) {
			t.Error("a token is in the log")
		}
	}
}

// TestRefreshAtOnce has two replicas get one token from fifty tabs.
func TestRefreshAtOnce(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	dir := t.TempDir() + "/keys"
	one := start(t, setup{databaseURL: d.AuthURL, keyDir: dir})
	two := start(t, setup{databaseURL: d.AuthURL, keyDir: dir})
	one.person(t)
	raw := one.tokens(t).Refresh
	var mu sync.Mutex // guards children
	children := map[string]bool{}
	got := atOnce(50, func(i int) int {
		a := []*service{one, two}[i%2].refresh(t, raw)
		mu.Lock()
		defer mu.Unlock()
		children[read[tokens](t, a).Refresh] = true
		return a.Status
	})
	if diff := cmp.Diff(got, map[int]int{http.StatusOK: 50}); diff != "" || len(children) != 50 {
		t.Errorf("%d tokens, how often each status (-got +want):\n%s", len(children), diff)
	}
	for child := range children {
		two.refreshed(t, child)
		break
	}
	if got := one.count(t, `SELECT count(*) FROM auth.refresh_families WHERE revoked_at IS NULL`); got != 1 {
		t.Errorf("%d families, want 1", got)
	}
}

// TestReuseAndRefreshAtOnce: whatever comes first, nobody is signed in after a
// copy was used.
func TestReuseAndRefreshAtOnce(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	first := s.tokens(t).Refresh
	second := s.refreshed(t, first).Refresh
	clock.advance(time.Minute)
	var mu sync.Mutex // guards children
	var children []string
	atOnce(20, func(i int) int {
		if i%2 == 0 {
			return s.refresh(t, first).Status
		}
		a := s.refresh(t, second)
		if a.Status == http.StatusOK {
			mu.Lock()
			defer mu.Unlock()
			children = append(children, read[tokens](t, a).Refresh)
		}
		return a.Status
	})
	for _, raw := range append(children, first, second) {
		s.refusesRefresh(t, raw)
	}
}

func TestRefreshTokensSlideUpToTheFamilysEnd(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	unused, used := s.tokens(t).Refresh, s.tokens(t).Refresh
	clock.advance(30*day - time.Second)
	used = s.refreshed(t, used).Refresh
	clock.advance(time.Second)
	s.refusesRefresh(t, unused)
	clock.advance(29 * day)
	next := s.refreshed(t, used) // on day 59
	if next.RefreshExpiresIn != int64(30*day/time.Second) {
		t.Errorf("on day 59 it lasts %d s", next.RefreshExpiresIn)
	}
	clock.advance(29 * day)
	next = s.refreshed(t, next.Refresh) // on day 88
	if got, want := next.RefreshExpiresIn, int64(2*day/time.Second); got != want {
		t.Errorf("on day 88 it lasts %d s, want %d", got, want)
	}
	clock.advance(2*day - time.Second)
	last := s.refreshed(t, next.Refresh)
	clock.advance(time.Second)
	s.refusesRefresh(t, last.Refresh)

	s.tokens(t) // signing in again sweeps up
	got := fmt.Sprint(s.count(t, `SELECT count(*) FROM auth.refresh_families`), s.count(t, `SELECT count(*) FROM auth.refresh_tokens`))
	if got != "1 1" {
		t.Errorf("families and tokens left: %s, want 1 1", got)
	}
}

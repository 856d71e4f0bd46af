package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/throttle"
	"craftista/db/pgtest"

	"github.com/google/go-cmp/cmp"
)

const wrong = "eight paper cranes"

// from signs in as the frontend does for somebody at the address.
func (s *service) from(t *testing.T, address, name, password string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, loginPath, text(t, map[string]string{"username": name, "password": password}),
		"X-Internal-API-Key", internalKey, "X-Client-Address", address)
}

// outcome is what a throttled sign-in shows: "429 Retry-After 4", or the status.
func outcome(a answer) string {
	return strings.TrimSpace(fmt.Sprint(a.Status, " ", a.Header.Get("Retry-After")))
}

func (s *service) refusesAttempt(t *testing.T, a answer, path, retryAfter string) {
	t.Helper()
	want := problemOf(http.StatusTooManyRequests, path, "too many attempts, try again later")
	if diff := cmp.Diff(read[problem](t, a), want); diff != "" {
		t.Errorf("problem (-got +want):\n%s", diff)
	}
	if got := a.Header.Get("Retry-After"); got != retryAfter {
		t.Errorf("Retry-After %q, want %q", got, retryAfter)
	}
}

// TestGuessingWaitsLongerAndLonger, and alike whether the account exists or not.
func TestGuessingWaitsLongerAndLonger(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	s.person(t)
	for _, name := range []string{"Crane", "nobody"} {
		for range 5 {
			if got := outcome(s.login(t, name, wrong)); got != "401" {
				t.Errorf("%s, free: %s", name, got)
			}
		}
		for _, wait := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
			want := fmt.Sprint(wait)
			s.refusesAttempt(t, s.login(t, name, wrong), loginPath, want)
			s.refusesAttempt(t, s.login(t, strings.ToUpper(name), password), loginPath, want) // the right one, too
			clock.advance(time.Duration(wait) * time.Second)
			if got := outcome(s.login(t, name, wrong)); got != "401" {
				t.Errorf("%s after %d s: %s", name, wait, got)
			}
		}
		clock.advance(15 * time.Minute)
	}
	if got := outcome(s.login(t, "Crane", password)); got != "200" {
		t.Errorf("the right password, after the wait: %s", got)
	}
	for range 5 { // all is forgiven
		if got := outcome(s.login(t, "Crane", wrong)); got != "401" {
			t.Errorf("free again: %s", got)
		}
	}
}

// TestNameAndAddressOfAnAccountCountTogether, or each would be free anew.
func TestNameAndAddressOfAnAccountCountTogether(t *testing.T) {
	t.Parallel()
	s := start(t, setup{now: newClock().now, limits: throttle.Default()})
	s.person(t)
	for _, name := range []string{"Crane", "crane@example.com", "CRANE", "Crane@Example.com", "crane"} {
		if got := outcome(s.login(t, name, wrong)); got != "401" {
			t.Errorf("%s, free: %s", name, got)
		}
	}
	s.refusesAttempt(t, s.login(t, "crane@example.com", wrong), loginPath, "1")
}

func TestFailuresAreForgotten(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	for range 5 {
		s.login(t, "nobody", wrong)
	}
	clock.advance(75 * time.Minute)
	for range 5 {
		if got := outcome(s.login(t, "nobody", wrong)); got != "401" {
			t.Errorf("an hour later: %s", got)
		}
	}
	clock.advance(75 * time.Minute)
	s.login(t, "other", wrong)
	if got := s.count(t, `SELECT count(*) FROM auth.throttle`); got != 3 {
		t.Errorf("%d rows are kept, want the last failure's 3", got)
	}
}

// TestNobodyIsKeptOutByOthers has many networks guess at one account.
func TestNobodyIsKeptOutByOthers(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	s.person(t)
	session := s.tokens(t)
	if got := outcome(s.from(t, "192.0.2.1", "Crane", password)); got != "200" {
		t.Fatalf("at home: %s", got)
	}
	attack := func(n int) (last answer) {
		for i := range n {
			last = s.from(t, fmt.Sprintf("198.51.100.%d", i), "Crane", wrong)
			clock.advance(45 * time.Second)
		}
		return last
	}
	if got := outcome(attack(40)); got != "401" {
		t.Errorf("the last guess: %s", got)
	}
	s.from(t, "198.51.100.99", "Crane", wrong)
	s.refusesAttempt(t, s.from(t, "203.0.113.7", "Crane", password), loginPath, "45") // somewhere new
	if got := outcome(s.from(t, "192.0.2.1", "Crane", wrong)); got != "401" {
		t.Errorf("a slip at home: %s", got)
	}
	session = s.refreshed(t, session.Refresh)
	if got := s.changePassword(t, session.Access, password, newPassword).Status; got != http.StatusNoContent {
		t.Errorf("the session they have: %d", got)
	}
	if got := outcome(s.from(t, "192.0.2.1", "Crane", newPassword)); got != "200" {
		t.Errorf("at home: %s", got)
	}
	attack(40)
	if got := outcome(s.from(t, "203.0.113.7", "Crane", newPassword)); got != "200" {
		t.Errorf("somewhere new, after the wait: %s", got)
	}
}

func TestOneAddressWaitsForAllItsGuesses(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	s.person(t)
	for i := range 50 {
		if got := outcome(s.from(t, "2001:db8:1:2::"+fmt.Sprint(i), fmt.Sprint("name", i), wrong)); got != "401" {
			t.Fatalf("free: %s", got)
		}
	}
	for address, want := range map[string]string{
		"2001:db8:1:2:ffff::1":    "429 1", // the same /64
		"2001:db8:1:2:ffff::1%e0": "429 1",
		"2001:db8:1:3::1":         "200",
		"192.0.2.1":               "200",
		"::ffff:192.0.2.2":        "200",
	} {
		if got := outcome(s.from(t, address, "Crane", password)); got != want {
			t.Errorf("from %s: %s, want %s", address, got, want)
		}
	}
	clock.advance(time.Second)
	s.from(t, "2001:db8:1:2::1", "Crane", password) // does not pay for what failed
	s.from(t, "2001:db8:1:2::1", "another", wrong)
	s.refusesAttempt(t, s.from(t, "2001:db8:1:2::1", "Crane", password), loginPath, "2")
}

func TestTheAddressCountsOnlyWithTheKey(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	body := text(t, map[string]string{"username": "nobody", "password": wrong})
	forged := func(i int) answer {
		headers := [][]string{{"X-Internal-API-Key", ""}, {"X-Internal-API-Key", "x"}, {"X-Forwarded-For", "192.0.2.9"}}[i%3]
		return s.request(t, http.MethodPost, loginPath, body, append(headers, "X-Client-Address", fmt.Sprint("192.0.2.", i))...)
	}
	for i := range 5 {
		if got := outcome(forged(i)); got != "401" {
			t.Errorf("free: %s", got)
		}
	}
	s.refusesAttempt(t, forged(6), loginPath, "1")
	s.refusesAttempt(t, s.from(t, "no address", "nobody", wrong), loginPath, "1")
	s.refusesAttempt(t, s.from(t, "127.0.0.1", "nobody", wrong), loginPath, "1")
	s.refusesAttempt(t, s.from(t, "::ffff:127.0.0.1", "nobody", wrong), loginPath, "1")
	if got := outcome(s.from(t, "192.0.2.1", "nobody", wrong)); got != "401" {
		t.Errorf("by the frontend, from elsewhere: %s", got)
	}
}

// TestManyGuessesAtOnce has two replicas answer as many as are free, and no more,
// though every guess began before any failed.
func TestManyGuessesAtOnce(t *testing.T) {
	t.Parallel()
	clock := newClock()
	d := pgtest.New(t)
	config := setup{now: clock.now, limits: throttle.Default(), databaseURL: d.AuthURL, keyDir: t.TempDir() + "/keys"}
	replicas := []*service{start(t, config), start(t, config)}
	got := atOnce(60, func(i int) int { return replicas[i%2].login(t, "nobody", wrong).Status })
	if diff := cmp.Diff(got, map[int]int{http.StatusUnauthorized: 5, http.StatusTooManyRequests: 55}); diff != "" {
		t.Errorf("how often each status (-got +want):\n%s", diff)
	}
}

// TestWaitingCostsNoHashing has a replica that cannot hash at all.
func TestWaitingCostsNoHashing(t *testing.T) {
	t.Parallel()
	clock := newClock()
	d := pgtest.New(t)
	config := setup{now: clock.now, limits: throttle.Default(), databaseURL: d.AuthURL, keyDir: t.TempDir() + "/keys"}
	s := start(t, config)
	config.hasher = account.NewHasher(4, 0, 0)
	busy := start(t, config)
	for range 20 {
		if got := outcome(busy.login(t, "nobody", wrong)); got != "503 2" { // and is no failure
			t.Fatalf("without a wait: %s", got)
		}
	}
	for range 5 {
		if got := outcome(s.login(t, "nobody", wrong)); got != "401" {
			t.Errorf("free: %s", got)
		}
	}
	busy.refusesAttempt(t, busy.login(t, "nobody", wrong), loginPath, "1")
}

func TestRegistrationIsThrottledByAddress(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	register := func(address string, i int) answer {
		return s.request(t, http.MethodPost, registerPath, text(t, registration{fmt.Sprint("fan", i), fmt.Sprint(i, "@example.com"), password}),
			"X-Internal-API-Key", internalKey, "X-Client-Address", address)
	}
	for i := range 20 {
		if got := outcome(register("192.0.2.1", i)); got != "200" {
			t.Fatalf("free: %s", got)
		}
	}
	s.refusesAttempt(t, register("192.0.2.1", 20), registerPath, "1")
	if got := outcome(register("192.0.2.2", 20)); got != "200" {
		t.Errorf("from elsewhere: %s", got)
	}
	clock.advance(time.Second)
	if got := outcome(register("192.0.2.1", 0)); got != "409" { // counts, too
		t.Errorf("after the wait: %s", got)
	}
	s.refusesAttempt(t, register("192.0.2.1", 21), registerPath, "2")
}

func TestPasswordChangeIsThrottled(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	s.person(t)
	raw := s.signIn(t)
	for range 5 {
		if got := outcome(s.changePassword(t, raw, wrong, newPassword)); got != "422" {
			t.Errorf("free: %s", got)
		}
	}
	s.refusesAttempt(t, s.changePassword(t, raw, password, newPassword), passwordPath, "1")
	s.tokens(t) // another door
	clock.advance(time.Second)
	if got := outcome(s.changePassword(t, raw, password, newPassword)); got != "204" {
		t.Errorf("after the wait: %s", got)
	}
}

func TestCountsNameNobody(t *testing.T) {
	t.Parallel()
	s := start(t, setup{limits: throttle.Default()})
	s.person(t)
	s.signIn(t)
	s.login(t, "Crane", wrong)
	var dump string
	if err := s.admin.GetContext(t.Context(), &dump, `SELECT string_agg(encode(key, 'escape'), ' ') FROM auth.throttle`); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(dump), "crane") || strings.Contains(dump, "127.0.0.1") {
		t.Errorf("keys %q", dump)
	}
}

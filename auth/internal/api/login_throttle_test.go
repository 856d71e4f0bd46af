package api_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/postgres"
	"craftista/auth/internal/throttle"
	"craftista/db/pgtest"
	"craftista/shared/fault"
	"craftista/shared/web"
)

const wrong = "eight paper cranes"

// from signs in as the frontend does for somebody at the address.
func (s *service) from(t *testing.T, address, name, password string) answer {
	t.Helper()
	return s.login(t, name, password, withKey(address)...)
}

// throttled starts a service with a clock and the limits of a public site, and
// registers Crane.
func throttled(t *testing.T) (*service, *clock) {
	t.Helper()
	clock := newClock()
	s := start(t, setup{now: clock.now, limits: throttle.Default()})
	s.person(t)
	return s, clock
}

func wantThrottled(t *testing.T, a answer, path, retryAfter string) {
	t.Helper()
	wantProblem(t, a, http.StatusTooManyRequests, path, "too many attempts, try again later")
	equal(t, "Retry-After", a.Header.Get("Retry-After"), retryAfter)
}

// TestGuessingWaitsLongerAndLonger, and alike whether the account exists or not.
func TestGuessingWaitsLongerAndLonger(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	for _, name := range []string{"Crane", "nobody"} {
		for range 5 {
			wantStatus(t, name+", free", s.login(t, name, wrong), 401)
		}
		for _, wait := range []int{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900} {
			want := fmt.Sprint(wait)
			wantThrottled(t, s.login(t, name, wrong), loginPath, want)
			wantThrottled(t, s.login(t, strings.ToUpper(name), password), loginPath, want) // the right one, too
			clock.advance(time.Duration(wait) * time.Second)
			wantStatus(t, fmt.Sprintf("%s after %d s", name, wait), s.login(t, name, wrong), 401)
		}
		clock.advance(15 * time.Minute)
	}
	wantStatus(t, "the right password, after the wait", s.login(t, "Crane", password), 200)
	for range 5 { // the failures are reset
		wantStatus(t, "free again", s.login(t, "Crane", wrong), 401)
	}
}

// TestNameAndAddressOfAnAccountCountApart, or the waits would tell that they are
// one person's, and a success that there is one.
func TestNameAndAddressOfAnAccountCountApart(t *testing.T) {
	t.Parallel()
	s, _ := throttled(t)
	for i := range 10 {
		wantStatus(t, "free", s.from(t, fmt.Sprintf("198.51.100.%d", i), "Crane", wrong), 401)
	}
	wantThrottled(t, s.from(t, "198.51.100.99", "CRANE", wrong), loginPath, "32")
	for range 5 {
		wantStatus(t, "by the address", s.from(t, "198.51.100.99", "crane@example.com", wrong), 401)
	}
	wantStatus(t, "by the address", s.from(t, "192.0.2.1", "Crane@Example.com", password), 200)
	wantThrottled(t, s.from(t, "192.0.2.1", "crane", password), loginPath, "32")
	wantThrottled(t, s.from(t, "198.51.100.99", "crane@example.com", wrong), loginPath, "1")
}

func TestFailuresAreForgotten(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	for range 5 {
		s.login(t, "nobody", wrong)
	}
	clock.advance(75 * time.Minute)
	for range 5 {
		wantStatus(t, "an hour later", s.login(t, "nobody", wrong), 401)
	}
	clock.advance(75 * time.Minute)
	s.login(t, "other", wrong)
	const query = `SELECT count(*) FROM auth.throttle`
	s.wantCount(t, "counts, all of the last failure", query, 3)
}

// TestNobodyIsKeptOutByOthers has 100 addresses guess at one account as often as
// they can, and new ones come, while its person waits exactly as told.
func TestNobodyIsKeptOutByOthers(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	session := s.tokens(t)
	wantStatus(t, "at home", s.from(t, "192.0.2.1", "Crane", password), 200)
	guesses, next := 0, [100]time.Time{}
	attack := func(d time.Duration) {
		for end := clock.now().Add(d); clock.now().Before(end); clock.advance(time.Second) {
			for i := range next {
				for !clock.now().Before(next[i]) {
					a := s.from(t, fmt.Sprintf("198.51.100.%d", i), "Crane", wrong)
					if a.Status == 401 {
						guesses++
					}
					wait, _ := strconv.Atoi(a.Header.Get("Retry-After"))
					next[i] = clock.now().Add(time.Duration(wait) * time.Second)
				}
			}
		}
	}
	attack(10 * time.Minute)
	equal(t, "guesses, 10 before the waits and 4 of each address", guesses, 410)
	wantThrottled(t, s.from(t, "203.0.113.7", "Crane", password), loginPath, "32") // somewhere new
	wantStatus(t, "a slip at home", s.from(t, "192.0.2.1", "Crane", wrong), 401)
	attack(31 * time.Second)
	wantThrottled(t, s.from(t, "203.0.113.7", "Crane", password), loginPath, "1")
	attack(time.Second)
	wantStatus(t, "somewhere new, after the wait", s.from(t, "203.0.113.7", "Crane", password), 200)
	session = s.refreshed(t, session.Refresh)
	wantStatus(t, "the session they have", s.changePassword(t, session.Access, password, newPassword), 204)
	wantStatus(t, "at home", s.from(t, "192.0.2.1", "Crane", newPassword), 200)
	wantThrottled(t, s.from(t, "203.0.113.8", "Crane", newPassword), loginPath, "32")
	clock.advance(32*time.Second + 15*time.Minute)
	wantThrottled(t, s.from(t, "203.0.113.8", "Crane", newPassword), loginPath, "32") // too late
}

func TestOneAddressWaitsForAllItsGuesses(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	for i := range 50 {
		wantStatus(t, "free", s.from(t, "2001:db8:1:2::"+fmt.Sprint(i), fmt.Sprint("name", i), wrong), 401)
	}
	for _, address := range []string{"2001:db8:1:2:ffff::1", "2001:db8:1:2:ffff::1%e0"} { // the same /64
		wantThrottled(t, s.from(t, address, "Crane", password), loginPath, "1")
	}
	for _, address := range []string{"2001:db8:1:3::1", "192.0.2.1", "::ffff:192.0.2.2"} {
		wantStatus(t, address, s.from(t, address, "Crane", password), 200)
	}
	clock.advance(time.Second)
	s.from(t, "2001:db8:1:2::1", "Crane", password) // does not pay for what failed
	s.from(t, "2001:db8:1:2::1", "another", wrong)
	wantThrottled(t, s.from(t, "2001:db8:1:2::1", "Crane", password), loginPath, "2")
}

func TestTheAddressCountsOnlyWithTheKey(t *testing.T) {
	t.Parallel()
	s, _ := throttled(t)
	forged := func(i int) answer {
		headers := [][]string{
			{"X-Internal-API-Key", ""}, {"X-Internal-API-Key", "x"}, {"X-Forwarded-For", "192.0.2.9"},
		}[i%3]
		return s.login(t, "nobody", wrong, append(headers, "X-Client-Address", fmt.Sprint("192.0.2.", i))...)
	}
	for i := range 5 {
		wantStatus(t, "free", forged(i), 401)
	}
	wantThrottled(t, forged(6), loginPath, "1")
	for _, address := range []string{"no address", "127.0.0.1", "::ffff:127.0.0.1"} {
		wantThrottled(t, s.from(t, address, "nobody", wrong), loginPath, "1")
	}
	wantStatus(t, "by the frontend, from elsewhere", s.from(t, "192.0.2.1", "nobody", wrong), 401)
}

// TestVisitorsBehindAProxyCountApart by what the proxy adds to X-Forwarded-For. Others change nothing by it.
func TestVisitorsBehindAProxyCountApart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		proxy  string
		others int // what the next address gets, after the free ones of the first
	}{
		{"127.0.0.1/32", http.StatusUnauthorized},
		{"192.0.2.0/24", http.StatusTooManyRequests},
	} {
		s, _ := throttled(t)
		server := httptest.NewServer(web.TrustProxies([]netip.Prefix{netip.MustParsePrefix(row.proxy)}, s.router))
		t.Cleanup(server.Close)
		s.URL = server.URL
		guess := func(forwarded string) answer {
			return s.login(t, "nobody", wrong, "X-Forwarded-For", forwarded)
		}
		for i := range 5 {
			wantStatus(t, "free", guess(fmt.Sprintf("198.51.100.%d, 203.0.113.1", i)), 401)
		}
		wantThrottled(t, guess("198.51.100.9, 203.0.113.1"), loginPath, "1")
		wantStatus(t, "by "+row.proxy, guess("203.0.113.2"), row.others)
		wantStatus(t, "by the site", s.from(t, "203.0.113.3", "nobody", wrong), 401)
	}
}

// replicated is the setup of replicas on one database.
func replicated(t *testing.T) setup {
	t.Helper()
	return setup{
		now: newClock().now, limits: throttle.Default(),
		databaseURL: pgtest.New(t).AuthURL,
	}
}

// TestManyGuessesAtOnce checks that two replicas answer as many as are free, and no
// more, though every guess began before any failed.
func TestManyGuessesAtOnce(t *testing.T) {
	t.Parallel()
	config := replicated(t)
	replicas := []*service{start(t, config), start(t, config)}
	got := atOnce(60, func(i int) int { return replicas[i%2].login(t, "nobody", wrong).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusUnauthorized: 5, http.StatusTooManyRequests: 55})
}

// TestManyGuessesAtOnceFromManyAddresses, of which one has the right password but
// learns so only after the wait of a new address.
func TestManyGuessesAtOnceFromManyAddresses(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	limit := throttle.New(postgres.NewStore(s.db), internalKey, throttle.Default(), clock.now)
	early, err := limit.Attempt(t.Context(), "name:crane", "192.0.2.1/32")
	if err != nil {
		t.Fatal(err)
	}
	got := atOnce(60, func(i int) int { return s.from(t, fmt.Sprintf("198.51.100.%d", i), "Crane", wrong).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusUnauthorized: 10, http.StatusTooManyRequests: 50})
	equal(t, "right, but too late", fault.KindOf(early.Succeeded(t.Context())), fault.Throttled)
	clock.advance(32 * time.Second)
	wantStatus(t, "after the wait", s.from(t, "192.0.2.1", "Crane", password), 200)
}

// TestWaitingCostsNoHashing has a replica that cannot hash at all.
func TestWaitingCostsNoHashing(t *testing.T) {
	t.Parallel()
	config := replicated(t)
	s := start(t, config)
	config.hasher = account.NewHasher(4, 0, 0)
	busy := start(t, config)
	for range 20 {
		a := busy.login(t, "nobody", wrong)
		wantStatus(t, "without a wait", a, 503) // and is no failure
		equal(t, "Retry-After", a.Header.Get("Retry-After"), "2")
	}
	for range 5 {
		wantStatus(t, "free", s.login(t, "nobody", wrong), 401)
	}
	wantThrottled(t, busy.login(t, "nobody", wrong), loginPath, "1")
}

func TestRegistrationIsThrottledByAddress(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	register := func(address string, i int) answer {
		fan := registration{fmt.Sprint("fan", i), fmt.Sprint(i, "@example.com"), password}
		return s.postJSON(t, registerPath, fan, withKey(address)...)
	}
	for i := range 20 {
		wantStatus(t, "free", register("192.0.2.1", i), 200)
	}
	wantThrottled(t, register("192.0.2.1", 20), registerPath, "1")
	wantStatus(t, "from elsewhere", register("192.0.2.2", 20), 200)
	clock.advance(time.Second)
	wantStatus(t, "after the wait", register("192.0.2.1", 0), 409) // counts, too
	wantThrottled(t, register("192.0.2.1", 21), registerPath, "2")
}

func TestPasswordChangeIsThrottled(t *testing.T) {
	t.Parallel()
	s, clock := throttled(t)
	raw := s.signIn(t)
	for range 5 {
		wantStatus(t, "free", s.changePassword(t, raw, wrong, newPassword), 422)
	}
	wantThrottled(t, s.changePassword(t, raw, password, newPassword), passwordPath, "1")
	s.tokens(t) // signing in is throttled apart
	clock.advance(time.Second)
	wantStatus(t, "after the wait", s.changePassword(t, raw, password, newPassword), 204)
}

func TestCountsNameNobody(t *testing.T) {
	t.Parallel()
	s, _ := throttled(t)
	s.signIn(t)
	s.login(t, "Crane", wrong)
	var dump string
	const query = `SELECT string_agg(encode(key, 'escape'), ' ') FROM auth.throttle`
	if err := s.admin.GetContext(t.Context(), &dump, query); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(strings.ToLower(dump), "crane") || strings.Contains(dump, "127.0.0.1") {
		t.Errorf("keys %q", dump)
	}
}

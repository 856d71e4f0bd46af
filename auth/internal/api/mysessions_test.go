package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const (
	sessionsPath = "/api/auth/sessions"
	firefox      = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"
)

// session is one as it is listed.
type session struct {
	ID          int64     `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	LastUsedAt  time.Time `json:"last_used_at"`
	Current     bool      `json:"current"`
	Device      string    `json:"device"`
	Application string    `json:"application"`
}

// signInFrom signs Crane in with that browser.
func (s *service) signInFrom(t *testing.T, agent string, headers ...string) tokens {
	t.Helper()
	body := text(t, map[string]string{"username": "Crane", "password": password})
	return read[tokens](t, s.request(t, http.MethodPost, loginPath, body, append(headers, "User-Agent", agent)...))
}

func (s *service) sessions(t *testing.T, access string) []session {
	t.Helper()
	a := s.get(t, sessionsPath, "Authorization", "Bearer "+access)
	if a.Status != http.StatusOK {
		t.Fatalf("sessions: %d %s", a.Status, a.Body)
	}
	return read[[]session](t, a)
}

func (s *service) end(t *testing.T, access, path string) answer {
	t.Helper()
	return s.request(t, http.MethodDelete, sessionsPath+path, "", "Authorization", "Bearer "+access)
}

func TestSessionsAreOnesOwnTheLatestUsedFirst(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	s.register(t, "Heron", "heron@example.com", password)
	s.login(t, "Heron", password)
	begun := clock.now().UTC()
	first := s.signInFrom(t, firefox)
	clock.advance(time.Minute)
	s.signInFrom(t, "curl/8.5.0")
	app := s.client(t, []string{callback}, "openid profile email votes:write", false)
	clock.advance(time.Minute)
	s.post(t, tokenPath, app, app.redeeming(s.code(t, first.Access, app.asking())))
	clock.advance(time.Minute)
	first = s.refreshed(t, first.Refresh)
	minute := func(n int) time.Time { return begun.Add(time.Duration(n) * time.Minute) }
	want := []session{
		{CreatedAt: minute(0), LastUsedAt: minute(3), Current: true, Device: "Firefox on Linux"},
		{CreatedAt: minute(2), LastUsedAt: minute(2), Application: "Paper <Birds>"},
		{CreatedAt: minute(1), LastUsedAt: minute(1), Device: "curl"},
	}
	if diff := cmp.Diff(s.sessions(t, first.Access), want, cmpopts.IgnoreFields(session{}, "ID")); diff != "" {
		t.Errorf("sessions (-got +want):\n%s", diff)
	}
	clock.advance(31 * day) // nothing was used since
	again := s.signInFrom(t, firefox)
	if got := s.sessions(t, again.Access); len(got) != 1 || !got[0].Current {
		t.Errorf("a month later: %+v, want the new one alone", got)
	}
}

func TestEndingOneSession(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.register(t, "Heron", "heron@example.com", password)
	stranger := read[tokens](t, s.login(t, "Heron", password))
	lost, mine := s.tokens(t), s.tokens(t)
	path := ""
	for _, one := range s.sessions(t, mine.Access) {
		if !one.Current {
			path = fmt.Sprintf("/%d", one.ID)
		}
	}
	for _, row := range []struct{ name, access, path string }{
		{"somebody else's", stranger.Access, path}, {"nobody's", mine.Access, "/999"}, {"an id that is none", mine.Access, "/x"},
	} {
		if a := s.end(t, row.access, row.path); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d %s", row.name, a.Status, a.Body)
		}
	}
	lost = s.refreshed(t, lost.Refresh)
	if a := s.end(t, mine.Access, path); a.Status != http.StatusNoContent || a.Body != "" || a.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
	}
	s.refusesRefresh(t, lost.Refresh)
	mine = s.refreshed(t, mine.Refresh)
	if got := s.sessions(t, mine.Access); len(got) != 1 || !got[0].Current {
		t.Errorf("sessions left: %+v", got)
	}
	if a := s.end(t, mine.Access, path); a.Status != http.StatusNotFound {
		t.Errorf("again: %d %s", a.Status, a.Body)
	}
	for name, a := range map[string]answer{ // the copy of an access token that lives on
		"sees":       s.get(t, sessionsPath, "Authorization", "Bearer "+lost.Access),
		"ends":       s.end(t, lost.Access, path),
		"ends other": s.end(t, lost.Access, ""),
	} {
		if a.Status != http.StatusUnauthorized || read[problem](t, a).Detail != "this sign-in is over" {
			t.Errorf("whose session was ended %s: %d %s", name, a.Status, a.Body)
		}
	}
	s.refreshed(t, mine.Refresh)
}

func TestEndingAllOtherSessions(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.register(t, "Heron", "heron@example.com", password)
	stranger := read[tokens](t, s.login(t, "Heron", password))
	one, two, mine := s.tokens(t), s.tokens(t), s.tokens(t)
	app := s.client(t, []string{callback}, "openid profile email votes:write", false)
	granted := read[granted](t, s.post(t, tokenPath, app, app.redeeming(s.code(t, one.Access, app.asking()))))
	for range 2 { // repeating it changes nothing
		if a := s.end(t, mine.Access, ""); a.Status != http.StatusNoContent {
			t.Errorf("%d %s", a.Status, a.Body)
		}
	}
	s.refusesRefresh(t, one.Refresh)
	s.refusesRefresh(t, two.Refresh)
	mine = s.refreshed(t, mine.Refresh)
	s.refreshed(t, stranger.Refresh)
	if a := s.get(t, "/oauth2/userinfo", "Authorization", "Bearer "+granted.Access); a.Status != http.StatusUnauthorized {
		t.Errorf("the application still learns about the person: %d %s", a.Status, a.Body)
	}
	if got := s.sessions(t, mine.Access); len(got) != 1 {
		t.Errorf("sessions left: %+v", got)
	}
	if logged := s.logs.String(); !strings.Contains(logged, `"msg":"other sessions ended","service":"auth","user_id":1`) {
		t.Errorf("log:\n%s", logged)
	}
}

// TestEndingAndRefreshingAtOnce leaves no token that is good.
func TestEndingAndRefreshingAtOnce(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	mine := s.tokens(t)
	for range 5 {
		lost := s.tokens(t)
		id := s.sessions(t, lost.Access)[0].ID
		next := make(chan answer, 4)
		atOnce(5, func(i int) int {
			if i == 2 {
				return s.end(t, mine.Access, fmt.Sprintf("/%d", id)).Status
			}
			a := s.refresh(t, lost.Refresh)
			next <- a
			return a.Status
		})
		close(next)
		for a := range next {
			if a.Status == http.StatusOK {
				s.refusesRefresh(t, read[tokens](t, a).Refresh)
			}
		}
	}
}

func TestADeviceIsKnownByBrowserAndSystem(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	const chromium = "(KHTML, like Gecko) Chrome/140.0.0.0"
	for agent, want := range map[string]string{
		firefox: "Firefox on Linux",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " + chromium + " Safari/537.36 Edg/140.0.0.0":             "Edge on Windows",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 " + chromium + " Safari/537.36 OPR/120.0.0.0":             "Opera on Windows",
		"Mozilla/5.0 (X11; CrOS x86_64 16181.61.0) AppleWebKit/537.36 " + chromium + " Safari/537.36":                           "Chrome on ChromeOS",
		"Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0": "Samsung Internet on Android",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile/15E148 Safari/604.1":   "Safari on iPhone",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15": "Safari on macOS",
		"curl/8.5.0":                      "curl",
		"Go-http-client/1.1":              "Go-http-client",
		"<script>alert(1)</script>/1":     "",
		strings.Repeat("a", 31) + "/1":    "",
		strings.Repeat("\u00e9", 300):     "",
		strings.Repeat("x", 600) + " Edg": "",
	} {
		if got := s.sessions(t, s.signInFrom(t, agent).Access)[0].Device; got != want {
			t.Errorf("%.60s is %q, want %q", agent, got, want)
		}
	}
	for key, want := range map[string]string{internalKey: "Firefox on Linux", "a-wrong-key": "curl"} {
		got := s.sessions(t, s.signInFrom(t, "curl/8.5.0", "X-Internal-API-Key", key, "X-Client-Agent", firefox).Access)[0].Device
		if got != want {
			t.Errorf("told with the key %s: %q, want %q", key, got, want)
		}
	}
}

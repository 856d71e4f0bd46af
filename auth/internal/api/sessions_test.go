package api_test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp/cmpopts"
)

const sessionsPath = "/api/auth/sessions"

// listedSession is one in a list.
type listedSession struct {
	ID          int64     `json:"id"`
	CreatedAt   time.Time `json:"created_at"`
	LastUsedAt  time.Time `json:"last_used_at"`
	Current     bool      `json:"current"`
	Device      string    `json:"device"`
	Application string    `json:"application"`
	Scope       string    `json:"scope"`
}

func (s *service) sessions(t *testing.T, access string) []listedSession {
	t.Helper()
	a := s.getAs(t, access, sessionsPath)
	wantStatus(t, "sessions", a, http.StatusOK)
	return read[[]listedSession](t, a)
}

func (s *service) end(t *testing.T, access, path string) answer {
	t.Helper()
	return s.request(t, http.MethodDelete, sessionsPath+path, "", "Authorization", "Bearer "+access)
}

func TestSessionsAreOnesOwnTheLatestUsedFirst(t *testing.T) {
	t.Parallel()
	s, clock := startWithClock(t)
	s.register(t, "Heron", "heron@example.com", password)
	s.login(t, "Heron", password)
	begun := clock.now().UTC()
	first := s.tokens(t, "User-Agent", firefox)
	clock.advance(time.Minute)
	s.tokens(t, "User-Agent", "curl/8.5.0")
	clock.advance(time.Minute)
	s.grant(t, first.Access, s.client(t, allScopes), allScopes)
	clock.advance(time.Minute)
	first = s.refreshed(t, first.Refresh)
	minute := func(n int) time.Time { return begun.Add(time.Duration(n) * time.Minute) }
	want := []listedSession{
		{CreatedAt: minute(0), LastUsedAt: minute(3), Current: true, Device: "Firefox on Linux"},
		{CreatedAt: minute(2), LastUsedAt: minute(2), Application: "Paper <Birds>", Scope: allScopes},
		{CreatedAt: minute(1), LastUsedAt: minute(1), Device: "curl"},
	}
	equal(t, "sessions", s.sessions(t, first.Access), want, cmpopts.IgnoreFields(listedSession{}, "ID"))
	clock.advance(31 * day) // nothing was used since
	again := s.tokens(t, "User-Agent", firefox)
	if got := s.sessions(t, again.Access); len(got) != 1 || !got[0].Current {
		t.Errorf("a month later: %+v, want the new one alone", got)
	}
}

func TestEndingOneSession(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
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
		{"somebody else's", stranger.Access, path}, {"nobody's", mine.Access, "/999"},
		{"one past 32 bits", mine.Access, "/4294967296"}, {"an id that is none", mine.Access, "/x"},
	} {
		wantStatus(t, row.name, s.end(t, row.access, row.path), http.StatusNotFound)
	}
	lost = s.refreshed(t, lost.Refresh)
	wantNoContent(t, "end", s.end(t, mine.Access, path))
	s.refusesRefresh(t, lost.Refresh)
	mine = s.refreshed(t, mine.Refresh)
	if got := s.sessions(t, mine.Access); len(got) != 1 || !got[0].Current {
		t.Errorf("sessions left: %+v", got)
	}
	wantStatus(t, "again", s.end(t, mine.Access, path), http.StatusNotFound)
	for name, a := range map[string]answer{ // by a copy of an access token that has not expired
		"sees":       s.getAs(t, lost.Access, sessionsPath),
		"ends":       s.end(t, lost.Access, path),
		"ends other": s.end(t, lost.Access, ""),
	} {
		wantStatus(t, "whose session was ended "+name, a, http.StatusUnauthorized)
		equal(t, "detail", read[problem](t, a).Detail, "this session has ended")
	}
	s.refreshed(t, mine.Refresh)
}

func TestEndingAllOtherSessions(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	s.register(t, "Heron", "heron@example.com", password)
	stranger := read[tokens](t, s.login(t, "Heron", password))
	one, two, mine := s.tokens(t), s.tokens(t), s.tokens(t)
	granted := s.grant(t, one.Access, s.client(t, allScopes), allScopes)
	for range 2 { // repeating it changes nothing
		wantNoContent(t, "end", s.end(t, mine.Access, ""))
	}
	s.refusesRefresh(t, one.Refresh)
	s.refusesRefresh(t, two.Refresh)
	mine = s.refreshed(t, mine.Refresh)
	s.refreshed(t, stranger.Refresh)
	wantStatus(t, "the application asks", s.getAs(t, granted.Access, userinfoPath), http.StatusUnauthorized)
	if got := s.sessions(t, mine.Access); len(got) != 1 {
		t.Errorf("sessions left: %+v", got)
	}
	s.wantLog(t, `"msg":"other sessions ended","service":"auth","user_id":1`)
}

// TestEndingAndRefreshingAtOnce leaves no valid token.
func TestEndingAndRefreshingAtOnce(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	mine := s.tokens(t)
	for range 5 {
		lost := s.tokens(t)
		id := s.sessions(t, lost.Access)[0].ID
		next := atOnce(5, func(i int) string {
			if i == 2 {
				s.end(t, mine.Access, fmt.Sprintf("/%d", id))
				return ""
			}
			return read[tokens](t, s.refresh(t, lost.Refresh)).Refresh // "" if it is refused
		})
		delete(next, "")
		for raw := range next {
			s.refusesRefresh(t, raw)
		}
	}
}

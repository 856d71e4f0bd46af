package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestRefusedGrants has one change from a good token request in each row.
func TestRefusedGrants(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	access := s.signIn(t)
	const scope = "openid profile email votes:write"
	a, other := s.client(t, []string{callback}, scope, false), s.client(t, []string{callback}, scope, false)
	public, machine := s.client(t, []string{callback}, scope, true), s.client(t, nil, scope, false)
	for name, row := range map[string]struct {
		as     app
		change map[string]string // "" deletes
		want   string
	}{
		"a wrong verifier":         {a, map[string]string{"code_verifier": verifier + "x"}, "invalid_grant"},
		"no verifier":              {a, map[string]string{"code_verifier": ""}, "invalid_request"},
		"a short verifier":         {a, map[string]string{"code_verifier": "short"}, "invalid_request"},
		"another redirect":         {a, map[string]string{"redirect_uri": callback + "/"}, "invalid_grant"},
		"no redirect":              {a, map[string]string{"redirect_uri": ""}, "invalid_request"},
		"another client's code":    {other, nil, "invalid_grant"},
		"a public client's":        {public, nil, "invalid_grant"},
		"an unknown code":          {a, map[string]string{"code": "x"}, "invalid_grant"},
		"a hostile code":           {a, map[string]string{"code": "\xff\x00"}, "invalid_request"},
		"no code":                  {a, map[string]string{"code": ""}, "invalid_request"},
		"a bad secret":             {app{a.ID, "x"}, nil, "invalid_client"},
		"no secret":                {app{a.ID, ""}, nil, "invalid_client"},
		"another's secret":         {app{a.ID, other.Secret}, nil, "invalid_client"},
		"an unknown client":        {app{"client-x", a.Secret}, nil, "invalid_client"},
		"a hostile client":         {app{"\x00", ""}, nil, "invalid_client"},
		"a public client's secret": {app{public.ID, "x"}, nil, "invalid_client"},
		"nobody":                   {app{}, nil, "invalid_client"},
		"twice who":                {a, map[string]string{"client_secret": "x"}, "invalid_request"},
		"two clients":              {a, map[string]string{"client_id": other.ID}, "invalid_request"},
		"no grant":                 {a, map[string]string{"grant_type": ""}, "invalid_request"},
		"a password":               {a, map[string]string{"grant_type": "password"}, "unsupported_grant_type"},
		"for itself":               {a, map[string]string{"grant_type": "client_credentials"}, "unauthorized_client"},
		"a machine with a code":    {machine, nil, "unauthorized_client"},
		"a refresh without token":  {a, map[string]string{"grant_type": "refresh_token"}, "invalid_request"},
		"an unknown refresh":       {a, map[string]string{"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code := s.code(t, access, a.asking())
			form := a.redeeming(code)
			for name, value := range row.change {
				form.Set(name, value)
				if value == "" {
					form.Del(name)
				}
			}
			got := s.post(t, tokenPath, row.as, form)
			status := http.StatusBadRequest
			if row.want == "invalid_client" {
				status = http.StatusUnauthorized
			}
			if read[granted](t, got).Error != row.want || got.Status != status || got.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%d %s, want %s", got.Status, got.Body, row.want)
			}
			if basic := strings.HasPrefix(got.Header.Get("WWW-Authenticate"), "Basic"); basic != (status == http.StatusUnauthorized) {
				t.Errorf("WWW-Authenticate %q", got.Header.Get("WWW-Authenticate"))
			}
			if again := s.post(t, tokenPath, a, a.redeeming(code)); again.Status != http.StatusOK {
				t.Errorf("the code is spent: %d %s", again.Status, again.Body)
			}
		})
	}
}

func TestACodeTwiceEndsWhatItGave(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	a := s.client(t, []string{callback}, "openid profile email votes:write", true)
	form := a.redeeming(s.code(t, s.signIn(t), a.asking()))
	form.Set("client_id", a.ID)
	first := read[granted](t, s.post(t, tokenPath, app{}, form))
	if first.Refresh == "" {
		t.Fatal("a public client gets no tokens")
	}
	if second := read[granted](t, s.post(t, tokenPath, app{}, form)); second.Error != "invalid_grant" {
		t.Errorf("second: %+v", second)
	}
	form = refreshing(first.Refresh)
	form.Set("client_id", a.ID)
	if got := read[granted](t, s.post(t, tokenPath, app{}, form)); got.Error != "invalid_grant" {
		t.Errorf("its refresh token lives: %+v", got)
	}
}

func TestACodeAtOnceGivesOneFamilyAtMost(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	a := s.client(t, []string{callback}, "openid profile email votes:write", false)
	form := a.redeeming(s.code(t, s.signIn(t), a.asking()))
	const rush = 8
	answers := make(chan answer, rush)
	for range rush {
		go func() { answers <- s.post(t, tokenPath, a, form) }()
	}
	won := 0
	for range rush {
		if got := <-answers; got.Status == http.StatusOK {
			won++
		}
	}
	var live int
	if err := s.admin.GetContext(t.Context(), &live, `SELECT count(*) FROM auth.refresh_families WHERE client_id <> '' AND revoked_at IS NULL`); err != nil {
		t.Fatal(err)
	}
	if won != 1 || live != 0 {
		t.Errorf("%d won, %d families live; want 1 and 0", won, live)
	}
}

func TestCodesEndAfterAMinuteAndWithThePerson(t *testing.T) {
	t.Parallel()
	clock := newClock()
	s := start(t, setup{now: clock.now})
	s.person(t)
	a := s.client(t, []string{callback}, "openid profile email votes:write", false)
	code := s.code(t, s.signIn(t), a.asking())
	clock.advance(time.Minute)
	if got := read[granted](t, s.post(t, tokenPath, a, a.redeeming(code))); got.Error != "invalid_grant" {
		t.Errorf("an expired code: %+v", got)
	}
	code = s.code(t, s.signIn(t), a.asking())
	s.exec(t, s.admin, `UPDATE auth.users SET disabled_at = now()`)
	if got := read[granted](t, s.post(t, tokenPath, a, a.redeeming(code))); got.Error != "invalid_grant" {
		t.Errorf("a disabled person: %+v", got)
	}
}

func TestAClientForItselfIsNobody(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.client(t, nil, "openid votes:read votes:write", false)
	got := read[granted](t, s.post(t, tokenPath, app{}, url.Values{"grant_type": {"client_credentials"}, "client_id": {a.ID}, "client_secret": {a.Secret}}))
	want := granted{Access: got.Access, Type: "Bearer", ExpiresIn: 900, Scope: "votes:read votes:write"}
	if diff := cmp.Diff(got, want); diff != "" || got.Access == "" {
		t.Errorf("tokens (-got +want):\n%s", diff)
	}
	if u, err := s.verifier().Verify(t.Context(), got.Access); err == nil {
		t.Errorf("passes as %+v", u)
	}
	if me := s.get(t, "/api/auth/me", "Authorization", "Bearer "+got.Access); me.Status != http.StatusUnauthorized {
		t.Errorf("me: %d %s", me.Status, me.Body)
	}
	refused := read[granted](t, s.post(t, tokenPath, a, url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}}))
	if refused.Error != "invalid_scope" {
		t.Errorf("openid for itself: %+v", refused)
	}
}

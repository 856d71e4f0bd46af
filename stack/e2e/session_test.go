package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"craftista/shared/waittest"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// shortLived makes access tokens that live for two seconds.
func shortLived(c *local.Config) { c.AccessTokenTTL = 2 * time.Second }

// refresh sends the refresh token to auth itself.
func refresh(t *testing.T, s *local.Stack, token string) reply {
	t.Helper()
	body := strings.NewReader(`{"refresh_token":"` + token + `"}`)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URLs["auth"]+"/api/auth/refresh", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return do(t, http.DefaultClient, r)
}

// TestSessionOutlivesItsTokens is a person who votes for longer than an access
// token lives and need not sign in again, until they sign out.
func TestSessionOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, shortLived)
	front := s.URLs["frontend"]
	client := signUp(t, front)
	first := cookies(t, client, front)
	for range 2 {
		access := cookies(t, client, front)["craftista_session"]
		for _, path := range []string{"/vote", "/unvote"} {
			got := do(t, client, post(t, front+"/origamis/1"+path, url.Values{}))
			to := got.Header.Get("Location")
			if want := "/origamis/1#piece-1"; got.Status != http.StatusSeeOther || to != want {
				t.Fatalf("%s: %d to %q, want 303 to %q", path, got.Status, to, want)
			}
		}
		awaitExpiry(t, s, access)
	}
	do(t, client, get(t, front+"/"))
	last := cookies(t, client, front)
	for _, name := range []string{"craftista_session", "craftista_refresh"} {
		if first[name] == "" || last[name] == "" || first[name] == last[name] {
			t.Errorf("%s was not renewed", name)
		}
	}
	if got := do(t, client, post(t, front+"/logout", url.Values{})); got.Status != http.StatusSeeOther {
		t.Errorf("sign-out answers %d", got.Status)
	}
	if left := cookies(t, client, front); len(left) > 0 {
		t.Errorf("%d cookies after signing out", len(left))
	}
	if got := refresh(t, s, last["craftista_refresh"]); got.Status != http.StatusUnauthorized {
		t.Errorf("auth answers the old refresh token with %d: %s", got.Status, got.Body)
	}
}

// awaitExpiry waits until product refuses the access token.
func awaitExpiry(t *testing.T, s *local.Stack, access string) {
	t.Helper()
	waittest.Until(t, "the access token has expired", func() bool {
		r := get(t, s.URLs["product"]+"/api/votes/mine?ids=1")
		r.Header.Set("Authorization", "Bearer "+access)
		return do(t, http.DefaultClient, r).Status == http.StatusUnauthorized
	})
}

// TestScriptsCannotReadTheTokens searches all that a script can read.
func TestScriptsCannotReadTheTokens(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	b := open(t, s, true)
	b.join()
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.cookie + JSON.stringify(localStorage) +
		JSON.stringify(sessionStorage) + document.documentElement.outerHTML`))
	if err != nil {
		t.Fatal(err)
	}
	stored, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil || len(stored.Cookies) != 2 {
		t.Fatalf("%d cookies, %v; want two", len(stored.Cookies), err)
	}
	var names []string
	for _, c := range stored.Cookies {
		names = append(names, c.Name)
		if !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Path != "/" || len(c.Value) < 40 {
			t.Errorf("the cookie %s is %+v", c.Name, c)
		}
		if strings.Contains(got, c.Value) {
			t.Errorf("a script reads %s in %s", c.Name, got)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"craftista_refresh", "craftista_session"}) {
		t.Errorf("cookies %q", names)
	}
}

// TestExpiredSession leads to the sign-in and back to where the person was.
func TestExpiredSession(t *testing.T) {
	t.Parallel()
	s := stacktest.Site(t)
	withAndWithoutScript(t, s, func(_ *testing.T, b *tab, _ bool) {
		name := newName()
		b.goTo("/register?next=/origamis/3")
		b.register(name)
		b.at("/origamis/3")
		b.clearCookies()
		b.click("#vote-button-3")
		b.at("/login?next=" + url.QueryEscape("/origamis/3#piece-3"))
		b.login(strings.ToUpper(name))
		b.see(".site-nav", "Sign out")
		b.see("#vote-button-3", "take the vote back")
	})
}

func (b *tab) clearCookies() {
	b.t.Helper()
	if _, err := chromedp.Call(b.ctx, network.ClearBrowserCookies, cdp.Empty{}); err != nil {
		b.t.Fatal(err)
	}
}

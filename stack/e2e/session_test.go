package e2e

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

// shortLived makes access tokens that live for two seconds.
func shortLived(c *local.Config) { c.AccessTokenTTL = 2 * time.Second }

// cookies are the client's for the site, by name.
func cookies(t *testing.T, client *http.Client, front string) map[string]string {
	t.Helper()
	u, err := url.Parse(front)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, c := range client.Jar.Cookies(u) {
		values[c.Name] = c.Value
	}
	return values
}

// refresh asks auth itself.
func refresh(t *testing.T, s *local.Stack, token string) reply {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URLs["auth"]+"/api/auth/refresh", strings.NewReader(`{"refresh_token":"`+token+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	return do(t, http.DefaultClient, r)
}

// TestSessionOutlivesItsTokens is a person who votes for longer than an access
// token lives and is never asked who they are, until they sign out.
func TestSessionOutlivesItsTokens(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, shortLived)
	front := s.URLs["frontend"]
	client := browse(t, front)
	first := cookies(t, client, front)
	for end, voted := time.Now().Add(5*time.Second), true; time.Now().Before(end); voted = !voted {
		path := map[bool]string{true: "/vote", false: "/unvote"}[voted]
		got := do(t, client, post(t, front+"/origamis/1"+path, url.Values{}))
		if want := "/origamis/1#piece-1"; got.Status != http.StatusSeeOther || got.Header.Get("Location") != want {
			t.Fatalf("%s: %d to %q, want 303 to %q", path, got.Status, got.Header.Get("Location"), want)
		}
		<-time.After(100 * time.Millisecond)
	}
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

// TestTabsRestoredTogether loads ten pages at once with an access token that has
// expired.
func TestTabsRestoredTogether(t *testing.T) {
	t.Parallel()
	var database string
	s := stacktest.Start(t, func(c *local.Config) { shortLived(c); database = c.DatabaseURL })
	front := s.URLs["frontend"]
	client := browse(t, front)
	old := cookies(t, client, front)
	awaitExpiry(t, s, old["craftista_session"])

	var requests []*http.Request
	for range 10 {
		r := get(t, front+"/")
		for name, value := range old {
			r.AddCookie(&http.Cookie{Name: name, Value: value})
		}
		requests = append(requests, r)
	}
	pages := make([]reply, len(requests))
	var wg sync.WaitGroup
	for i, r := range requests {
		wg.Go(func() { pages[i] = do(t, &http.Client{}, r) })
	}
	wg.Wait()
	for i, page := range pages {
		if page.Status != http.StatusOK || !strings.Contains(page.Body, "Sign out") || len(page.Header["Set-Cookie"]) != 2 {
			t.Errorf("page %d: %d, signed in %v, %d cookies", i, page.Status, strings.Contains(page.Body, "Sign out"), len(page.Header["Set-Cookie"]))
		}
	}
	if got := families(t, database); !slices.Equal(got, []bool{true}) {
		t.Errorf("families, true if alive: %v; want one that is", got)
	}
}

// awaitExpiry waits until the catalogue no longer takes the access token.
func awaitExpiry(t *testing.T, s *local.Stack, access string) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); <-time.After(50 * time.Millisecond) {
		r := get(t, s.URLs["product"]+"/api/votes/mine?ids=1")
		r.Header.Set("Authorization", "Bearer "+access)
		if do(t, http.DefaultClient, r).Status == http.StatusUnauthorized {
			return
		}
	}
	t.Fatal("the access token does not expire")
}

// families are all that auth has, true for one that is not revoked.
func families(t *testing.T, database string) []bool {
	t.Helper()
	db, err := pg.Open(database, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const query = `
		SELECT revoked_at IS NULL
		  FROM auth.refresh_families`
	var alive []bool
	if err := db.SelectContext(t.Context(), &alive, query); err != nil {
		t.Fatal(err)
	}
	return alive
}

// TestScriptsNeverSeeTheTokens looks for both where a script could.
func TestScriptsNeverSeeTheTokens(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b, name := open(t, s, true), newcomer()
	b.goTo("/register")
	b.fill("#username", name)
	b.fill("#email", name+"@example.com")
	b.fill("#password", passphrase)
	b.submit("#register-form")
	b.see(".site-nav", "Sign out")
	got, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](`document.cookie + JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.documentElement.outerHTML`))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := chromedp.Call(b.ctx, network.GetCookies, network.GetCookiesParams{})
	if err != nil || len(kept.Cookies) != 2 {
		t.Fatalf("%d cookies, %v; want two", len(kept.Cookies), err)
	}
	var names []string
	for _, c := range kept.Cookies {
		names = append(names, c.Name)
		if !c.HTTPOnly || c.SameSite != network.CookieSameSiteLax || c.Path != "/" || len(c.Value) < 40 {
			t.Errorf("the cookie %s is %+v", c.Name, c)
		}
		if strings.Contains(got, c.Value) {
			t.Errorf("a script sees %s in %s", c.Name, got)
		}
	}
	if slices.Sort(names); !slices.Equal(names, []string{"craftista_refresh", "craftista_session"}) {
		t.Errorf("cookies %q", names)
	}
}

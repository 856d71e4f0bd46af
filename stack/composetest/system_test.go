package composetest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestNothingIsDegraded: each service reaches all that it uses, what it can do without included.
func TestNothingIsDegraded(t *testing.T) {
	needsContainers(t)
	for _, port := range []string{"AUTH_PORT", "PRODUCT_PORT", "RECOMMENDATION_PORT", "SITE_PORT"} {
		eventually(t, port+" is ready, with every check ok", func() bool {
			res, body := send(t, http.DefaultClient, request(t, http.MethodGet, published(port)+"/readyz", nil))
			return res.StatusCode == http.StatusOK && !strings.Contains(body, "degraded")
		})
	}
}

// TestContainersAreHardened looks at each container as the engine started it.
func TestContainersAreHardened(t *testing.T) {
	needsContainers(t)
	replicas := map[string]int{}
	for _, c := range containers(t) {
		replicas[c.service()]++
		if c.runs() && (c.State.Status != "running" || c.State.Health.Status != "healthy") {
			t.Errorf("%s is %s, %s", c.Name, c.State.Status, c.State.Health.Status)
		}
		if !c.runs() && (c.State.Status != "exited" || c.State.ExitCode != 0) {
			t.Errorf("%s is %s with %d", c.Name, c.State.Status, c.State.ExitCode)
		}
		c.wantNoRestart(t)
		has := c.HostConfig
		if !has.ReadonlyRootfs || !slices.Contains(has.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s: a read-only root is %t, options are %q", c.Name, has.ReadonlyRootfs, has.SecurityOpt)
		}
		if needsRoot := slices.Contains([]string{"secrets", "postgres"}, c.service()); !needsRoot &&
			!slices.Contains(has.CapDrop, "ALL") {
			t.Errorf("%s has capabilities", c.Name)
		}
		if c.runs() && has.Memory == 0 {
			t.Errorf("%s has no limit of memory", c.Name)
		}
	}
	for _, service := range services {
		if replicas[service] != 2 {
			t.Errorf("%d replicas of %s, want 2", replicas[service], service)
		}
	}
}

// TestPublishedPorts: the proxy is the way in, besides the pages for whoever operates it, and for this machine only.
func TestPublishedPorts(t *testing.T) {
	needsContainers(t)
	may := []string{"proxy", "mailpit", "jaeger", "prometheus", "grafana"}
	for _, c := range containers(t) {
		for port, published := range c.NetworkSettings.Ports {
			for _, at := range published {
				if !slices.Contains(may, c.service()) || at.HostIP != "127.0.0.1" {
					t.Errorf("%s has %s published at %s:%s", c.Name, port, at.HostIP, at.HostPort)
				}
			}
		}
	}
}

// TestHardenedSiteDraws: the picture of a shared link, by a program that is compiled in memory.
func TestHardenedSiteDraws(t *testing.T) {
	needsContainers(t)
	res, body := send(t, http.DefaultClient, request(t, http.MethodGet, published("SITE_PORT")+"/cards/crane.png", nil))
	if got := http.DetectContentType([]byte(body)); res.StatusCode != http.StatusOK || got != "image/png" {
		t.Errorf("%s, %s", res.Status, got)
	}
}

// TestVisitorsCannotChooseTheirAddress: guesses at one name, each with another X-Forwarded-For, are slowed down after
// five, which is what one address has free. From ten addresses ten would be free.
func TestVisitorsCannotChooseTheirAddress(t *testing.T) {
	needsContainers(t)
	for where, guess := range map[string]func(name string) *http.Request{
		"auth": func(name string) *http.Request {
			body := strings.NewReader(`{"username": "` + name + `", "password": "not-the-password"}`)
			r := request(t, http.MethodPost, published("AUTH_PORT")+"/api/auth/login", body)
			r.Header.Set("Content-Type", "application/json")
			return r
		},
		"the site": func(name string) *http.Request {
			form := url.Values{"username": {name}, "password": {"not-the-password"}}
			return pageForm(t, published("SITE_PORT")+"/login", form)
		},
	} {
		name := newName()
		var got []int
		for _, claimed := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"} {
			r := guess(name)
			r.Header.Set("X-Forwarded-For", "203.0.113."+claimed)
			res, _ := send(t, http.DefaultClient, r)
			got = append(got, res.StatusCode)
		}
		if want := http.StatusTooManyRequests; !slices.Contains(got, want) || got[0] != http.StatusUnauthorized {
			t.Errorf("%s answers guesses with %d, want %d among them", where, got, want)
		}
	}
}

// TestTraceReachesJaeger: one page is one trace through every service, with the address that the proxy saw.
func TestTraceReachesJaeger(t *testing.T) {
	needsContainers(t)
	const claimed = "203.0.113.77"
	page := request(t, http.MethodGet, published("SITE_PORT")+"/origamis/1", nil)
	page.Header.Set("X-Forwarded-For", claimed)
	res, _ := send(t, http.DefaultClient, page)
	eventually(t, "Jaeger shows the trace", func() bool {
		found, body := send(t, http.DefaultClient,
			request(t, http.MethodGet, published("JAEGER_PORT")+"/api/traces/"+res.Header.Get("Trace-Id"), nil))
		if strings.Contains(body, claimed) {
			t.Fatal("the trace has the address that the visitor claimed")
		}
		var reply struct {
			Data []struct {
				Processes map[string]struct{ ServiceName string }
			}
		}
		if err := json.Unmarshal([]byte(body), &reply); err != nil || found.StatusCode != http.StatusOK {
			return false
		}
		seen := map[string]bool{}
		for _, trace := range reply.Data {
			for _, p := range trace.Processes {
				seen[p.ServiceName] = true
			}
		}
		return seen["frontend"] && seen["product"] && seen["recommendation"]
	})
}

// TestForgottenPassword follows the link in the mail, which leads to the site as it is published.
func TestForgottenPassword(t *testing.T) {
	needsContainers(t)
	name, _ := register(t)
	address := name + "@example.com"
	send(t, http.DefaultClient, pageForm(t, published("SITE_PORT")+"/forgot", url.Values{"email": {address}}))
	newest := published("MAILPIT_PORT") + "/view/latest.txt?" +
		url.Values{"query": {`to:` + address + ` subject:"Choose a new password"`}}.Encode()
	links := regexp.MustCompile(regexp.QuoteMeta(published("SITE_PORT")) + `/reset\?token=(\S+)`)
	var link []string
	eventually(t, "the mail is in Mailpit", func() bool {
		_, text := send(t, http.DefaultClient, request(t, http.MethodGet, newest, nil))
		link = links.FindStringSubmatch(text)
		return link != nil
	})
	other := "another " + passphrase
	change := url.Values{"token": {link[1]}, "new_password": {other}}
	_, page := send(t, http.DefaultClient, pageForm(t, published("SITE_PORT")+"/reset", change))
	if !strings.Contains(page, "Sign in") {
		t.Fatalf("the page after the new password is %.300s", page)
	}
	for password, want := range map[string]int{passphrase: http.StatusUnauthorized, other: http.StatusOK} {
		account := `{"username": "` + name + `", "password": "` + password + `"}`
		res, body, err := answer(http.DefaultClient, http.MethodPost, published("AUTH_PORT")+"/api/auth/login", "", account)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("signing in with %q answers %d: %s", password, res.StatusCode, body)
		}
	}
}

func request(t *testing.T, method, url string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// pageForm is a form that a page of the site sends.
func pageForm(t *testing.T, url string, form url.Values) *http.Request {
	t.Helper()
	r := request(t, http.MethodPost, url, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

// send returns the response with its body.
func send(t *testing.T, client *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func newName() string { return "check-" + strings.ToLower(rand.Text()[:12]) }

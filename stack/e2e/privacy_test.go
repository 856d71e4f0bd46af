package e2e

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTelemetryHasNoQueries asks every route of every service, as an admin, with an e-mail address in each parameter
// of its document and of OpenID Connect, in a form and in Referer, with the name of a field that nobody knows and in a
// token that nobody signed, and the site's again while nothing is behind it. The address is in no trace, no metric and
// no line of a log.
func TestTelemetryHasNoQueries(t *testing.T) {
	t.Parallel()
	var sent output
	collector := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(&sent, r.Body)
	}))
	t.Cleanup(collector.Close)
	auth, product, recommendation, front := startProcesses(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+collector.URL)
	admin := signIn(t, front.url, "admin", "paper-crane-admin")
	bearer := cookies(t, admin, front.url)["craftista_session"]
	behind := []*process{auth, product, recommendation}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodPost, http.MethodDelete} {
		askEveryRoute(t, admin, bearer, method, append(behind, front)...)
	}
	for _, p := range behind {
		p.interrupt(t)
	}
	askEveryRoute(t, admin, bearer, http.MethodGet, front)
	front.interrupt(t)
	if !strings.Contains(sent.String(), "/api/auth/users") || !strings.Contains(front.out.String(), "refused") {
		t.Error("no admin has searched, or no log tells of a service that is stopped")
	}
	around := regexp.MustCompile(`.{0,80}` + canary + `.{0,40}`)
	for name, text := range map[string]string{
		"the collector": sent.String(), "auth's log": auth.out.String(), "product's log": product.out.String(),
		"recommendation's log": recommendation.out.String(), "the site's log": front.out.String(),
	} {
		if found := around.FindAllString(text, 5); found != nil {
			t.Errorf("%s has it: %q", name, found)
		}
	}
}

// operation is one of an OpenAPI document.
type operation struct {
	Parameters []struct{ Name, In string }
}

// paths are those of the service's document, with the operations by method.
func paths(t *testing.T, service *process) map[string]map[string]operation {
	t.Helper()
	var document struct {
		Paths map[string]map[string]operation
	}
	spec := do(t, http.DefaultClient, get(t, service.url+"/openapi.json"))
	if err := json.Unmarshal([]byte(spec.Body), &document); err != nil || len(document.Paths) < 5 {
		t.Fatalf("%s has %d paths, %v", service.url, len(document.Paths), err)
	}
	return document.Paths
}

// parameter is one of a path.
var parameter = regexp.MustCompile(`\{[^}]+\}`)

// canary is part of the address.
const canary = "canary-in-the-query"

// askEveryRoute asks the routes of each service that have the method.
func askEveryRoute(t *testing.T, client *http.Client, bearer, method string, services ...*process) {
	t.Helper()
	for _, service := range services {
		for path, operations := range paths(t, service) {
			operation, ok := operations[strings.ToLower(method)]
			if !ok || path == "/logout" {
				continue
			}
			values := url.Values{}
			for _, name := range []string{"code", "state", "id_token_hint", "login_hint", "username", "email"} {
				values.Set(name, canary+"@example.com")
			}
			for _, p := range operation.Parameters {
				if p.In == "query" && !slices.Contains([]string{"cursor", "limit", "sort"}, p.Name) { // or nothing is sought
					values.Set(p.Name, canary+"@example.com")
				}
			}
			for _, row := range [][3]string{
				{"application/x-www-form-urlencoded", values.Encode(), bearer},
				{"application/json", `{"` + canary + `": 1}`, bearer},
				{"multipart/form-data; boundary=b", "--b\r\n" + canary + "\r\n\r\n--b--", forged()},
			} {
				mediaType, body, bearer := row[0], row[1], row[2]
				r := request(t, method, service.url+parameter.ReplaceAllString(path, "1"), values)
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				r.URL.RawQuery = values.Encode()
				r.Header.Set("Content-Type", mediaType)
				r.Header.Set("Referer", service.url+"/?q="+canary)
				r.Header.Set("Authorization", "Bearer "+bearer)
				do(t, client, r)
			}
		}
	}
}

// forged is a token by a key that has the address for its name.
func forged() string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256","typ":"at+jwt","kid":"`+canary+`"}`)) + ".e30." + encode([]byte("signature"))
}

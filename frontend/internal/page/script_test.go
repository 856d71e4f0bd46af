package page_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"testing"

	"craftista/frontend/internal/page"
)

func TestScriptsJSON(t *testing.T) {
	w := startWebsite(t)
	up := map[string]any{"Frontend": "up", "Catalogue": "up", "Voting": "up", "Recommendation": "up",
		"Authentication": "up"}
	for _, c := range []struct {
		name, method, path string
		who                option
		want               any
	}{
		{"votes", "GET", "/api/origamis/1/votes", w.signedIn, map[string]any{"origami_id": 1.0, "votes": 41.0}},
		{"vote", "POST", "/api/origamis/1/vote", w.signedIn, map[string]any{"origami_id": 1.0, "new_vote_count": 42.0,
			"voted": true, "message": "so it is"}},
		{"states", "GET", "/api/service-status", w.signedIn, up},
		{"voting", "GET", "/votingservice-status", w.signedIn, map[string]any{"status": "up",
			"message": "voting can be used"}},
		{"recommendation", "GET", "/recommendation-status", w.signedIn, map[string]any{"status": "up",
			"message": "recommendations can be used"}},
		{"signed in", "GET", "/auth/status", w.signedIn, map[string]any{"authenticated": true, "message": "so it is"}},
		{"signed out", "GET", "/auth/status", nobody, map[string]any{"authenticated": false,
			"message": "so it is"}},
		{"alive", "GET", "/livez", w.signedIn, map[string]any{"status": "alive"}},
	} {
		a := w.do(c.method, c.path, nil, c.who)
		var got any
		if err := json.Unmarshal([]byte(a.body), &got); err != nil || a.status != http.StatusOK ||
			a.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s: %d %s", c.name, a.status, a.body)
		}
		check(t, c.name, got, c.want)
	}
}

func TestScriptsProducts(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/api/products?limit=2")
	var got []map[string]any
	if err := json.Unmarshal([]byte(a.body), &got); err != nil || len(got) != 2 ||
		got[0]["image_url"] != "/static/origami/crane.svg" {
		t.Errorf("%d %s", a.status, a.body)
	}
	check(t, "the answer", a.header.Get("Link"), `</api/products?cursor=two%3D&limit=2>; rel="next"`)
	w.get("/api/products?limit=2", header("If-None-Match", a.header.Get("ETag"))).check(t, "with its tag", 304)
	daily := w.get("/daily-origami")
	daily.check(t, "daily", 200, daily.body, has(`"date":"2026-11-22"`))
}

func TestScriptsProblems(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct {
		method, path string
		who          option
		status       int
	}{
		{"POST", "/api/origamis/1/vote", nobody, 401},
		{"POST", "/api/origamis/1/vote", as("nonsense"), 401},
		{"POST", "/api/origamis/99/vote", w.signedIn, 404},
		{"POST", "/api/origamis/x/vote", w.signedIn, 404},
		{"GET", "/api/origamis/0/votes", nobody, 404},
		{"GET", "/api/products?cursor=forged", nobody, 400},
		{"GET", "/api/nothing", nobody, 404},
		{"DELETE", "/api/products", nobody, 405},
	} {
		a := w.do(c.method, c.path, nil, c.who)
		challenge := map[bool]string{true: `Bearer error="invalid_token"`}[c.status == http.StatusUnauthorized]
		check(t, c.method+" "+c.path, a.header.Get("WWW-Authenticate"), challenge)
		var got struct {
			Status  int
			TraceID string `json:"trace_id"`
		}
		err := json.Unmarshal([]byte(a.body), &got)
		if err != nil || a.status != c.status || got.Status != c.status || got.TraceID != a.header.Get("Trace-Id") ||
			a.header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s %s: %d %s", c.method, c.path, a.status, a.body)
		}
	}
	w.revoked = true
	a := w.do("POST", "/api/origamis/1/vote", nil, w.signedIn)
	a.check(t, "revoked", 401, a.header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
}

func TestScriptsWhenServicesAreAway(t *testing.T) {
	w := startWebsite(t)
	w.product.server.Close()
	w.recommendation.failure.Store(broken)
	w.auth.failure.Store(hanging)
	for path, want := range map[string]string{
		"/api/service-status": `{"Authentication":"down","Catalogue":"down","Frontend":"up","Recommendation":"down",` +
			`"Voting":"down"}`,
		"/votingservice-status":  `{"status":"down","message":"voting cannot be used now"}`,
		"/recommendation-status": `{"status":"down","message":"recommendations cannot be used now"}`,
	} {
		got := w.promptly(path)
		got.check(t, path, 200, got.body, want)
	}
	for _, path := range []string{"/api/products", "/api/origamis/1/votes", "/daily-origami", "/auth/status"} {
		w.promptly(path).check(t, path, 503)
	}
	for _, path := range []string{"/livez", "/readyz", "/health"} {
		w.promptly(path).check(t, path, 200)
	}
}

func TestDevelopmentReload(t *testing.T) {
	w := startWebsite(t, page.Settings{DevReload: true})
	check(t, "the script is missing", w.get("/").body, has("/static/js/reload."))
	res := open(t, w.site.URL+"/dev/reload")
	lines := bufio.NewScanner(res.Body)
	var got []string
	for len(got) < 4 && lines.Scan() {
		got = append(got, lines.Text())
	}
	if len(got) != 4 || got[0] != "retry: 300" || got[2] != "event: start" || len(got[3]) < len("data: ")+26 ||
		res.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("got %q", got)
	}
	w.do(http.MethodHead, "/dev/reload", nil).check(t, "HEAD", 200)
	newWebsite(t, page.Settings{}).get("/dev/reload").check(t, "without the setting", 404)
}

package page_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

func TestScriptsJSON(t *testing.T) {
	w := startWebsite(t)
	for _, c := range []struct {
		name, method, path string
		who                option
		want               string
	}{
		{"votes", "GET", "/api/origamis/1/votes", w.signedIn, `{"origami_id":1,"votes":41}`},
		{"vote", "POST", "/api/origamis/1/vote", w.signedIn,
			`{"message":"so it is","new_vote_count":42,"origami_id":1,"voted":true}`},
		{"states", "GET", "/api/service-status", w.signedIn,
			`{"Frontend":"up","Catalogue":"up","Voting":"up","Recommendation":"up","Authentication":"up"}`},
		{"voting", "GET", "/votingservice-status", w.signedIn, `{"status":"up","message":"voting can be used"}`},
		{"recommendation", "GET", "/recommendation-status", w.signedIn,
			`{"status":"up","message":"recommendations can be used"}`},
		{"signed in", "GET", "/auth/status", w.signedIn, `{"authenticated":true,"message":"so it is"}`},
		{"signed out", "GET", "/auth/status", nobody, `{"authenticated":false,"message":"so it is"}`},
		{"alive", "GET", "/livez", w.signedIn, `{"status":"alive"}`},
	} {
		a := w.do(c.method, c.path, nil, c.who)
		a.check(t, c.name, 200, strings.TrimSpace(a.body), c.want, a.header.Get("Content-Type"), "application/json")
	}
}

func TestScriptsProducts(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/api/products?limit=2")
	a.check(t, "the answer", 200, strings.Count(a.body, `"image_url":"/static/origami/`), 2,
		a.header.Get("Link"), `</api/products?cursor=two%3D&limit=2>; rel="next"`)
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
		var got struct {
			Status  int
			TraceID string `json:"trace_id"`
		}
		if err := json.Unmarshal([]byte(a.body), &got); err != nil {
			t.Errorf("%s %s: %v", c.method, c.path, err)
		}
		a.check(t, c.method+" "+c.path, c.status, got.Status, c.status, got.TraceID, a.header.Get("Trace-Id"),
			a.header.Get("Content-Type"), "application/problem+json", a.header.Get("WWW-Authenticate"), challenge)
	}
	w.revoked = true
	a := w.do("POST", "/api/origamis/1/vote", nil, w.signedIn)
	a.check(t, "revoked", 401, a.header.Get("WWW-Authenticate"), `Bearer error="invalid_token"`)
}

func TestScriptsWhenServicesAreAway(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T, w *website) {
		w.product.server.Close()
		w.recommendation.failure.Store(broken)
		w.auth.failure.Store(hanging)
		for path, want := range map[string]string{
			"/api/service-status": `{"Frontend":"up","Catalogue":"down","Voting":"down","Recommendation":"down",` +
				`"Authentication":"down"}`,
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
	})
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

package page_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/shared/waittest"
)

// outage is a website with one service unavailable, and a person in it whose session is to
// be renewed.
type outage struct {
	*website
	*fake   // the service
	someone option
}

// inject runs the test with the service called part unavailable, in a bubble if it can. The
// keys of tokens are here already, except where that is what auth withholds.
func inject(t *testing.T, part, failure string, test func(t *testing.T, s outage)) {
	t.Helper()
	t.Parallel()
	in := inBubble
	if part == "auth" || part == "keys" {
		in = inRealTime
	}
	in(t, func(t *testing.T, w *website) {
		s := outage{website: w, someone: w.signedIn}
		switch part {
		case "product":
			s.fake = w.product
		case "recommendation":
			s.fake = w.recommendation
		case "auth":
			w.get("/", s.someone)
			s.fake, s.someone = w.auth, with(w.ending(-time.Hour), "r0")
		case "keys":
			s.fake = w.auth
		}
		failures()[failure](s.fake)
		test(t, s)
	})
}

// words is what pages say while a part is unavailable.
func words() map[string]map[string]string {
	return map[string]map[string]string{
		"product": {"/": "The gallery is not available", "/origamis/1": "Not available right now", "/daily": "Crane",
			"/login?why=again": "Sign in"},
		"recommendation": {"/": "Recommendations are not available", "/origamis/1": "A crane.",
			"/daily": "Not available right now", "/login?why=again": "Sign in"},
		"auth": {"/": "Sign-in unavailable", "/origamis/1": "Sign-in unavailable", "/daily": "Sign-in unavailable",
			"/login": "Sign-in is not responding"},
		"keys": {"/": "Sign-in unavailable", "/origamis/1": "Sign-in unavailable", "/daily": "Sign-in unavailable",
			"/login": "Sign-in is not responding"},
	}
}

// TestEveryPageIsThereInASecond asks for all pages of a signed-in person at once,
// three times, while one service is unavailable in one of the ways.
func TestEveryPageIsThereInASecond(t *testing.T) {
	t.Parallel()
	for part, pages := range words() {
		for failure := range failures() {
			t.Run(part+" "+failure, func(t *testing.T) {
				inject(t, part, failure, func(t *testing.T, s outage) {
					for visit := range 3 {
						var wg sync.WaitGroup
						for path, want := range pages {
							wg.Go(func() {
								a := s.promptly(path, s.someone)
								if !strings.Contains(text(a.doc), want) || a.status != http.StatusOK &&
									a.status != http.StatusServiceUnavailable {
									t.Errorf("visit %d: %s is %d without %q: %s", visit, path, a.status, want, text(a.doc))
								}
							})
						}
						wg.Wait()
					}
				})
			})
		}
	}
}

// TestSilenceIsNotAskedAgain holds that after two calls without an answer pages
// no longer wait for it, that the status page and pages that ask for other things
// ask all the same, and that the first page which asks again is whole.
func TestSilenceIsNotAskedAgain(t *testing.T) {
	t.Parallel()
	for _, failure := range []string{"hanging", "slow", "cutting"} {
		t.Run(failure, func(t *testing.T) {
			inject(t, "product", failure, func(t *testing.T, s outage) {
				s.promptly("/")
				s.promptly("/")
				asked := s.asked.Load()
				unavailable := s.get("/", s.someone)
				check(t, "asked more often", s.asked.Load()-asked, int32(0))
				check(t, "the gallery", text(unavailable.class("away-heading")), "The gallery is not available")
				if failure != "slow" { // a vote waits for that
					vote := s.post("/origamis/1/vote", nil, s.someone, header("Referer", s.site.URL+"/?sort=name"))
					vote.check(t, "a vote", 503, attr(vote.class("button"), "href"), "/?sort=name", len(s.mine), 0)
				}
				s.failure.Store(none)
				s.get("/origamis/1").check(t, "a piece by its id", 200)
				check(t, "status", s.get("/api/service-status").body, has(`"Catalogue":"up"`))
				s.returns()
			})
		})
	}
}

// returns asks for the gallery until the service is asked again.
func (s outage) returns() {
	s.t.Helper()
	var a answer
	asked := s.asked.Load()
	waittest.Until(s.t, "the service is asked again", func() bool {
		a = s.get("/", s.someone)
		return s.asked.Load() != asked
	})
	a.check(s.t, "the first page after it", 200,
		text(a.id("vote-1")), "41 votes Vote for Crane", a.class("away-heading") == nil, true)
}

// TestAllSectionsReturnAtOnce is TestSilenceIsNotAskedAgain for a service that
// pages ask several times: one call let through would not be enough.
func TestAllSectionsReturnAtOnce(t *testing.T) {
	inject(t, "recommendation", "cutting", func(_ *testing.T, s outage) {
		s.promptly("/")
		s.promptly("/")
		s.failure.Store(none)
		s.returns()
	})
}

// TestAnswersAreAnswers holds that no answer keeps a service from being asked.
func TestAnswersAreAnswers(t *testing.T) {
	w := startWebsite(t)
	for range 5 {
		w.get("/origamis/99")
		w.get("/?cursor=none")
		w.post("/login", ada("password", "guess"))
		w.post("/login", ada("username", "busy"))
	}
	w.get("/origamis/1").check(t, "after refusals", 200)
	w.post("/login", ada()).check(t, "sign-in after refusals", 303)
	w.product.failure.Store(broken)
	for range 5 {
		w.get("/")
	}
	w.product.failure.Store(none)
	w.get("/origamis/1").check(t, "after it was broken", 200)
}

// TestWhoHangsUpBlamesNobody ends requests while the service thinks.
func TestWhoHangsUpBlamesNobody(t *testing.T) {
	w := startWebsite(t)
	w.product.failure.Store(hanging)
	for range 5 {
		ctx, hangUp := context.WithCancel(t.Context())
		asked, done := w.product.asked.Load(), make(chan struct{})
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, w.site.URL+"/origamis/1", nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			defer close(done)
			if res, err := http.DefaultTransport.RoundTrip(r); err == nil {
				_ = res.Body.Close()
			}
		}()
		waittest.Until(t, "the service is asked", func() bool { return w.product.asked.Load() != asked })
		hangUp()
		<-done
	}
	w.product.failure.Store(none)
	w.get("/origamis/1").check(t, "afterwards", 200)
}

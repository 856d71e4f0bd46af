package api_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzAuthorize holds that no query is answered with a failure of ours, and that
// the browser goes nowhere but to the consent page and the client's own URI, to
// that with an error and the state as it came.
func FuzzAuthorize(f *testing.F) {
	s := start(f, setup{})
	a := s.client(f, []string{callback}, all, false)
	good := a.asking()
	f.Add(good.Encode())
	for name := range good {
		for _, text := range append(hostile(), "https://evil.example/", callback+"/", "plain", "token", "none") {
			q := a.asking()
			q.Set(name, text)
			f.Add(q.Encode())
		}
		f.Add(good.Encode() + "&" + name + "=x")
	}
	f.Add("%zz")
	f.Add("client_id=" + a.ID + ";redirect_uri=x")
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, authorizePath, nil)
		r.URL.RawQuery = query
		res := httptest.NewRecorder()
		s.router.ServeHTTP(res, r)
		to := res.Header().Get("Location")
		if res.Code == http.StatusBadRequest && to == "" {
			return
		}
		asked, err := url.ParseQuery(query)
		if err != nil || res.Code != http.StatusSeeOther {
			t.Fatalf("%q: %d to %q", query, res.Code, to)
		}
		if strings.HasPrefix(to, consentURL+"?") {
			return
		}
		rest, ours := strings.CutPrefix(to, callback+"&")
		back, err := url.ParseQuery(rest)
		if !ours || err != nil || back.Get("error") == "" || len(asked["state"]) == 1 && back.Get("state") != asked.Get("state") {
			t.Errorf("%q: sent to %q", query, to)
		}
	})
}

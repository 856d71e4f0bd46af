package page_test

import (
	"net/url"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
)

func TestNextStaysHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, page.Settings{})
	for raw, want := range map[string]string{
		"/":                           "/",
		"/origamis/3":                 "/origamis/3",
		"/?sort=name&cursor=a%2Fb":    "/?sort=name&cursor=a%2Fb",
		"/@evil.example":              "/@evil.example",
		"/?next=https://evil.example": "/?next=https://evil.example",
		"/origamis/3#//evil.example":  "/origamis/3",
		"/origamis/3/":                "/origamis/3/",
		"/origamis/%33":               "/origamis/%33",
		"/%25252541":                  "/%25252541",
		"/?q=a#piece-3":               "/?q=a#piece-3",
		"/#piece-3x":                  "/",
		"/#piece-":                    "/",
	} {
		w.checkNext(raw, want)
	}
	for _, raw := range elsewhere() {
		w.checkNext(raw, "/")
	}
}

func (w *world) checkNext(raw, want string) {
	w.t.Helper()
	a := w.get("/login?" + url.Values{"next": {raw}}.Encode())
	if got := attr(a.tags("input")[0], "value"); got != want {
		w.t.Errorf("GET with next=%q leads to %q, want %q", raw, got, want)
	}
	a = w.post("/login", ada("next", raw))
	if got := a.header.Get("Location"); got != want {
		w.t.Errorf("POST with next=%q leads to %q, want %q", raw, got, want)
	}
}

// elsewhere are attempts to be led away, or nowhere.
func elsewhere() []string {
	return []string{
		"",
		"origamis/3",
		"//evil.example",
		"///evil.example",
		`/\evil.example`,
		`\\evil.example`,
		"/%2Fevil.example",
		"/%2f%2fevil.example",
		"/%5Cevil.example",
		"/%252Fevil.example",
		"/%25252fevil.example",
		"/.//evil.example",
		"/x/..//evil.example",
		"/../x",
		"https://evil.example/",
		"HTTPS:evil.example",
		"javascript:alert(1)",
		"data:text/html,x",
		"/\t/evil.example",
		"/\n/evil.example",
		"/origamis/3\r\nSet-Cookie: a=b",
		" //evil.example",
		"//user@evil.example",
		"/login",
		"/login?next=/login",
		"/logout",
		"/é",
		"/" + strings.Repeat("a", 4000),
		"/%",
		"http:///evil.example",
		"/origamis/3;//evil.example",
		"/%00",
		"/?a=\\evil",
		"//evil.example/..%2f..",
		"/%0d%0aLocation:%20//evil.example",
		"/%2525252541",
		"/%" + strings.Repeat("25", 1900) + "41",
	}
}

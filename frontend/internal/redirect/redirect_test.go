package redirect

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestSafe(t *testing.T) {
	t.Parallel()
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
		if got := Safe(raw); got != want {
			t.Errorf("%q leads to %q, want %q", raw, got, want)
		}
	}
	for _, raw := range elsewhere() {
		if got := Safe(raw); got != "/" {
			t.Errorf("%q leads to %q, want /", raw, got)
		}
	}
}

// elsewhere are attempts to be led away, or nowhere.
func elsewhere() []string {
	return []string{
		"", "origamis/3", "//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`,
		"/%2Fevil.example", "/%2f%2fevil.example", "/%5Cevil.example", "/%252Fevil.example", "/%25252fevil.example",
		"/.//evil.example", "/x/..//evil.example", "/../x", "https://evil.example/", "HTTPS:evil.example",
		"javascript:alert(1)", "data:text/html,x", "/\t/evil.example", "/\n/evil.example",
		"/origamis/3\r\nSet-Cookie: a=b", " //evil.example", "//user@evil.example", "/login", "/login?next=/login",
		"/logout", "/forgot", "/reset?token=a", "/confirm?token=a",
		"/é", "/" + strings.Repeat("a", 4000), "/%", "http:///evil.example", "/origamis/3;//evil.example",
		"/%00", "/?a=\\evil", "//evil.example/..%2f..", "/%0d%0aLocation:%20//evil.example", "/%2525252541",
		"/%" + strings.Repeat("25", 1900) + "41",
	}
}

// FuzzSafe holds that whatever comes in, what comes out is a path of this site for
// a browser too, is short, and stays what it is.
func FuzzSafe(f *testing.F) {
	for _, seed := range append(elsewhere(), "/origamis/3", "/?sort=name&cursor=a%2Fb", "/a#//b", "/?", "/%41/", "/.",
		"/;") {
		f.Add(seed)
	}
	here, err := url.Parse("https://origami.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := Safe(raw)
		u, err := here.Parse(got)
		if err != nil || u.Scheme != here.Scheme || u.Host != here.Host || u.User != nil {
			t.Fatalf("%q leads to %q, which is %v (%v)", raw, got, u, err)
		}
		bad := !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t\x00")
		if bad || len(got) > maxLength {
			t.Fatalf("%q leads to %q", raw, got)
		}
		if again := Safe(got); again != got {
			t.Fatalf("%q leads to %q and that to %q", raw, got, again)
		}
	})
}

func TestReferrer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ current, referer, want string }{
		"neither":                {"", "", "/otherwise"},
		"Referer":                {"", "http://example.com/daily?date=2026-11-03", "/daily?date=2026-11-03"},
		"HX-Current-URL first":   {"http://example.com/?q=a", "http://example.com/daily", "/?q=a"},
		"another site":           {"", "http://evil.example/daily", "/otherwise"},
		"no URL":                 {"", "http://[", "/otherwise"},
		"a path that leads away": {"http://example.com//evil.example", "", "/"},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil) // of example.com
		r.Header.Set("HX-Current-URL", c.current)
		r.Header.Set("Referer", c.referer)
		if got := Referrer(r, "/otherwise"); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	for _, path := range elsewhere() {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Referer", "http://example.com"+path)
		got := Referrer(r, "/otherwise")
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t\x00") {
			t.Errorf("from %q back to %q", path, got)
		}
	}
}

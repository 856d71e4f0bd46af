package page

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzSafeNext holds that whatever comes in, what comes out is a path of this
// site for a browser too, is short, and stays what it is.
func FuzzSafeNext(f *testing.F) {
	for _, seed := range []string{
		"/", "/origamis/3", "/?sort=name&cursor=a%2Fb", "//evil.example", `/\evil.example`, "/%2f%2fevil.example", "/%25252fevil.example", "/\t/evil.example",
		"https:evil.example", "javascript:alert(1)", "/x/..//evil.example", "/%0d%0aLocation:%20//evil.example", "/@evil.example", "/a#//evil.example", "/?", "/%41/", "/.", "/;",
	} {
		f.Add(seed)
	}
	here, err := url.Parse("https://origami.example/login")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got := safeNext(raw)
		u, err := here.Parse(got)
		if err != nil || u.Scheme != here.Scheme || u.Host != here.Host || u.User != nil {
			t.Fatalf("%q leads to %q, which is %v (%v)", raw, got, u, err)
		}
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t\x00") || len(got) > maxNext {
			t.Fatalf("%q leads to %q", raw, got)
		}
		if again := safeNext(got); again != got {
			t.Fatalf("%q leads to %q and that to %q", raw, got, again)
		}
	})
}

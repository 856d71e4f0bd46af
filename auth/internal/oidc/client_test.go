package oidc_test

import (
	"net/url"
	"strings"
	"testing"

	"craftista/auth/internal/oidc"
)

// FuzzRedirectURI checks that a browser which is sent to a valid URI goes to the host
// that Go reads in it, over https or to this machine, and that adding the response
// neither changes the host nor loses a parameter.
func FuzzRedirectURI(f *testing.F) {
	for _, uri := range []string{
		"https://app.example/callback", "https://app.example/callback?x=1", "http://localhost:5000/",
		"http://[::1]:5000/x", "http://127.0.0.1", "http://app.example/", "https://app.example/#",
		"https://app.example@evil/", `https://app.example\@evil/`, "https:app.example", "//app.example/",
		"javascript:alert(1)", "https://app.example/?code=x", "https://app.example/ x",
		"https://app.example/\r\nSet-Cookie: x", "HTTPS://app.example/", "https://localhost.evil/",
		"http://localhost.evil/", "http://127.0.0.1.evil/", "https://приложение.example/",
		"https://app.example/%00", "https://app.example/?a=%zz",
		"", "https://", "https://:443/", "https://app.example:x/", "data:text/html,x", "app:/callback",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !oidc.ValidRedirect(uri) {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.Host == "" || u.User != nil || strings.ContainsAny(uri, "\\#\r\n\t ") {
			t.Fatalf("%q passes: %+v, %v", uri, u, err)
		}
		host := u.Hostname()
		if u.Scheme != "https" && (u.Scheme != "http" || host != "localhost" && host != "127.0.0.1" && host != "::1") {
			t.Errorf("%q passes over %s to %s", uri, u.Scheme, host)
		}
		separator := "?"
		if strings.Contains(uri, "?") {
			separator = "&"
		}
		sent, err := url.Parse(uri + separator + "code=c")
		if err != nil || sent.Host != u.Host || sent.Query().Get("code") != "c" || len(sent.Query()["code"]) != 1 {
			t.Errorf("%q sends to %v, %v", uri, sent, err)
		}
	})
}

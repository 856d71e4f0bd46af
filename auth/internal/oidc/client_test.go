package oidc_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
)

func TestRedirectsThatNoBrowserReaches(t *testing.T) {
	t.Parallel()
	for uri, valid := range map[string]bool{
		"http://localhost:99999/cb": false, "http://localhost:65536/cb": false, "http://localhost:0/cb": false,
		"http://localhost:/cb": false, "http://localhost:080/cb": false, "https://app.example:99999/cb": false,
		"com.example.app://host:99999/cb": false, "com.example.app://host:/cb": false,
		"https://app.example/a/../cb": false, "https://app.example/a/%2e%2E/cb": false, "https://app.example/./cb": false,
		"https://app.example/..": false, "com.example.app:/../cb": false, "https://app.example/cb#": false,
		"https://me@app.example/cb":   false,
		"http://localhost:65535/cb":   true,
		"https://app.example:1/cb":    true,
		"https://app.example/..a/.b.": true,
		"https://app.example/cb?a=..": true,
	} {
		_, _, err := oidc.NewClient(oidc.Registration{Name: "Birds", Redirects: []string{uri}, Scope: "openid"})
		if fault.KindOf(err) != map[bool]fault.Kind{true: fault.None, false: fault.Invalid}[valid] {
			t.Errorf("%q: %v", uri, err)
		}
		if err != nil && !strings.Contains(err.Error(), "its port, if it has one, must be 1 to 65535") {
			t.Errorf("%q is refused with %q", uri, err)
		}
	}
}

// FuzzRedirectURI checks that a browser which is sent to a valid URI goes to the host
// that Go reads in it, over https or to this machine, or to an app, and that adding the response
// neither changes the host nor loses a parameter.
func FuzzRedirectURI(f *testing.F) {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:"
	for _, uri := range []string{
		"https://app.example/callback", "https://app.example/callback?x=1", "http://localhost:5000/",
		"http://[::1]:5000/x", "http://127.0.0.1", "http://app.example/", "https://app.example/#",
		"https://app.example@evil/", `https://app.example\@evil/`, "https:app.example", "//app.example/",
		"javascript:alert(1)", "https://app.example/?code=x", "https://app.example/ x",
		"https://app.example/\r\nSet-Cookie: x", "HTTPS://app.example/", "https://localhost.evil/",
		"http://localhost.evil/", "http://127.0.0.1.evil/", "https://приложение.example/",
		"https://app.example/%00", "https://app.example/?a=%zz",
		"https://*.example/", "https://a;b/", "com.example.app:/back", "com.example.app:back", "example:/back",
		"https://", "https://:443/", "https://app.example:x/", "data:text/html,x", "app:/callback",
		"https://app.example:0/", "https://app.example:65536/", "https://app.example/a/../b",
	} {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		if !oidc.ValidRedirect(uri) {
			return
		}
		u, err := url.Parse(uri)
		if err != nil || u.User != nil || strings.ContainsAny(uri, "\\#\r\n\t ") {
			t.Fatalf("%q passes: %+v, %v", uri, u, err)
		}
		host := u.Hostname()
		app := strings.Contains(u.Scheme, ".")
		if u.Scheme != "https" && !app && (u.Scheme != "http" || host != "localhost" && host != "127.0.0.1") {
			t.Errorf("%q passes over %s to %s", uri, u.Scheme, host)
		}
		if !app && (host == "" || strings.Trim(u.Host, plain) != "") {
			t.Errorf("%q passes, which no policy can name", uri)
		}
		port, err := strconv.Atoi(u.Port())
		if u.Port() != "" && (err != nil || port < 1 || port > 65535) {
			t.Errorf("%q passes, whose port no browser connects to", uri)
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

package api_test

import (
	"strings"
	"testing"
)

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0"

func TestADeviceIsKnownByBrowserAndSystem(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	const (
		windows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
		android = "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) "
		iphone  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
		mac     = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
		cros    = "Mozilla/5.0 (X11; CrOS x86_64 16181.61.0) AppleWebKit/537.36 (KHTML, like Gecko) "
		chrome  = "Chrome/140.0.0.0 Safari/537.36"
	)
	device := func(headers ...string) string { return s.sessions(t, s.tokens(t, headers...).Access)[0].Device }
	for agent, want := range map[string]string{
		firefox:                             "Firefox on Linux",
		windows + chrome + " Edg/140.0.0.0": "Edge on Windows",
		windows + chrome + " OPR/120.0.0.0": "Opera on Windows",
		cros + chrome:                       "Chrome on ChromeOS",
		android + "SamsungBrowser/27.0 Chrome/125.0.0.0":   "Samsung Internet on Android",
		iphone + "Version/18.5 Mobile/15E148 Safari/604.1": "Safari on iPhone",
		mac + "Version/18.5 Safari/605.1.15":               "Safari on macOS",
		"curl/8.5.0":                                       "curl",
		"Go-http-client/1.1":                               "Go-http-client",
		"<script>alert(1)</script>/1":                      "",
		strings.Repeat("a", 31) + "/1":                     "",
		strings.Repeat("\u00e9", 300):                      "",
		strings.Repeat("x", 600) + " Edg":                  "",
	} {
		equal(t, agent[:min(60, len(agent))], device("User-Agent", agent), want)
	}
	for key, want := range map[string]string{internalKey: "Firefox on Linux", "a-wrong-key": "curl"} {
		got := device("User-Agent", "curl/8.5.0", "X-Internal-API-Key", key, "X-Client-Agent", firefox)
		equal(t, "told with the key "+key, got, want)
	}
}

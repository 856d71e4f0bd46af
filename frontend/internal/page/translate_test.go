package page_test

import (
	"net/url"
	"strings"
	"testing"

	"craftista/frontend/internal/page"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
)

// hostileTexts are names and descriptions that somebody may think of.
func hostileTexts() map[string]string {
	return map[string]string{
		"markup":           `"><script>alert(1)</script><img src=x onerror=alert(2)>`,
		"the end of a tag": `</title></textarea></script></hx-partial><svg onload=alert(1)>`,
		"quotes":           `' " ` + "`" + ` onmouseover='alert(1)' x="`,
		"entities":         `&lt;b&gt; &amp;lt; &#x202e; &bogus`,
		"templates":        `{{.}} ${7*7} <%= x %> #{y} { f.Title } @{z} js:alert(1)`,
		"comments":         `--><!--[if IE]><![CDATA[ ]]>`,
		"bidi overrides":   "\u202etxet desrever\u202c \u2066isolated\u2069 \u200f",
		"zero width":       "in\u200bvis\u200cible\u200d\ufeff\u2060",
		"combining stacks": "Z" + strings.Repeat("\u0310\u0337\u0489", 60),
		"astral":           "\U0001F9A2 \U0001D4D2\U0001D4FB\U0001D4EA \U000E0041 \U0010FFFD",
		"one long word":    strings.Repeat("w", 10_000),
		"many lines":       strings.Repeat("a line\r\n\u2028", 500),
	}
}

// TestTextStaysText holds that what people wrote is shown as they wrote it, in
// every page, fragment and tag, and never becomes anything but text.
func TestTextStaysText(t *testing.T) {
	w := startWebsite(t, page.Settings{PublicURL: "https://origami.example"})
	for name, hostile := range hostileTexts() {
		for _, p := range w.products {
			p["name"], p["description"], p["paper"], p["difficulty"], p["image_url"] = hostile, hostile, hostile, hostile,
				hostile
			p["maker"], p["instructions_url"] = hostile, hostile
		}
		person := as(w.issuer.MintWith(7, "user", func(_ *jwt.Token, c *token.Claims) {
			c.Username = strings.ToValidUTF8(hostile[:min(len(hostile), 2000)], "")
		}))
		want := squeeze(hostile)
		for path, shown := range map[string]int{"/": 4, "/origamis/1": 6, "/daily": 4, "/daily?month=2026-11": 2,
			"/?cursor=two%3D": 1} {
			a := w.get(path, person) // which holds the markup to our rules
			a.check(t, name+" "+path, 200, strings.Count(text(a.doc), want) >= shown, true)
			checkLinks(t, name+" "+path, a)
		}
		a := w.get("/origamis/1", person)
		tags := openGraphTags(a)
		for what, pair := range map[string][2]string{
			"title": {text(a.tags("title")[0]), want + " · Craftista"}, "alt": {squeeze(attr(a.tags("img")[0], "alt")),
				squeeze(hostile + ", folded from paper")},
			"og:title": {squeeze(tags["og:title"]), want}, "og:image": {tags["og:image"],
				"https://origami.example/cards/crane.png"},
		} {
			check(t, name+", "+what, pair[0], pair[1])
		}
		for _, path := range []string{"/origamis/1/vote", "/origamis/1/unvote"} {
			a := w.post(path, nil, person, w.byHtmx("/"))
			check(t, name, strings.Count(text(a.doc), want), 2, len(a.tags("hx-partial")), 2)
		}
	}
}

// squeeze is what text makes of s.
func squeeze(s string) string { return strings.Join(strings.Fields(s), " ") }

// checkLinks holds that everything in the page that leads anywhere, or loads
// anything, stays on this site.
func checkLinks(t *testing.T, what string, a answer) {
	t.Helper()
	for n := range elements(a.doc) {
		for _, key := range []string{"href", "src", "action", "formaction", "hx-get", "hx-post", "srcset", "poster", "data"} {
			raw := attr(n, key)
			if raw == "" || n.Data == "link" && attr(n, "rel") == "canonical" {
				continue
			}
			if n.Data == "a" && attr(n, "rel") == "nofollow noopener" && strings.HasPrefix(raw, "https://www.example.org/") {
				continue // a piece's instructions
			}
			u, err := url.Parse(raw)
			if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(raw, "/") && !strings.HasPrefix(raw, "#") ||
				strings.HasPrefix(raw, `/\`) {
				t.Errorf("%s: <%s %s=%.80q> leads elsewhere", what, n.Data, key, raw)
			}
		}
	}
}

// TestLongInputIsRefusedKindly holds that a field with 10,000 characters gets an
// answer that helps, and that nothing that was typed is lost.
func TestLongInputIsRefusedKindly(t *testing.T) {
	w := startWebsite(t)
	for name, long := range hostileTexts() {
		for path, form := range map[string]url.Values{"/login": ada("password", "guess"),
			"/register": ada("email", "a@b.example", "password", "short")} {
			for field := range form {
				sent := url.Values{"next": {"/origamis/2"}}
				for k, v := range form {
					sent[k] = v
				}
				sent.Set(field, long)
				a := w.post(path, sent)
				if field == "password" && path == "/register" {
					continue // it may be a good one
				}
				if a.status < 400 || a.status >= 500 || a.id(path[1:]+"-form") == nil {
					t.Errorf("%s as %s of %s: %d", name, field, path, a.status)
					continue
				}
				for _, input := range a.tags("input") {
					if key := attr(input, "name"); key != "password" && squeeze(attr(input, "value")) != squeeze(sent.Get(key)) {
						t.Errorf("%s as %s of %s: %s holds %.80q", name, field, path, key, attr(input, "value"))
					}
				}
			}
		}
	}
}

// TestQueriesOfAllKinds asks with every parameter for what nobody offers.
func TestQueriesOfAllKinds(t *testing.T) {
	w := startWebsite(t)
	values := []string{"%ff", "%00", "%zz", "%", ";", "%0d%0aX:y", "-1", "9223372036854775808",
		strings.Repeat("w", 10_000), "%F0%9F%A6%A2", "%3Cscript%3E"}
	for _, path := range []string{"/?cursor=", "/?sort=", "/?q=", "/daily?date=", "/daily?month=", "/login?next=",
		"/login?why=", "/register?next=", "/authorize?client_id=", "/status?x=", "/recommendations?x="} {
		for _, value := range values {
			for _, who := range []option{w.signedIn, header("Cookie", "")} {
				a := w.get(path+value, who)
				if a.status >= 500 || strings.Contains(a.body, "<script>") {
					t.Errorf("%s%.40s: %d", path, value, a.status)
				}
				if to := a.header.Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
					t.Errorf("%s%.40s leads to %q", path, value, to)
				}
				if a.doc != nil {
					checkLinks(t, path+value, a)
				}
			}
		}
	}
}

// TestControlCharactersAreRefused holds for what no form can send by itself.
func TestControlCharactersAreRefused(t *testing.T) {
	w := startWebsite(t)
	for name, value := range map[string]string{"not UTF-8": "ada\xff", "half a character": "ada\xc3",
		"a surrogate": "\xed\xa0\x80", "NUL": "ada\x00"} {
		for path, field := range map[string]string{"/login": "username", "/register": "email", "/authorize": "query"} {
			a := w.post(path, url.Values{field: {value}}, w.signedIn)
			a.check(t, name+" at "+path, 400, text(a.tags("h1")[0]), "Bad request")
		}
	}
}

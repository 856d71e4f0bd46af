package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

const (
	asking     = "client_id=birds&redirect_uri=https%3A%2F%2Fbirds.example%3A8443%2Fback&state=a+%26+b"
	birdsStays = "https://birds.example:8443/back?code=c&iss=i&state=a+%26+b"
	birdsGoes  = "https://birds.example:8443/back?error=access_denied"
)

// serveConsent is auth's part for applications. It has one request, and by
// client_id how to refuse.
func (w *website) serveConsent() {
	w.auth.on("POST /oauth2/consent", func(c *call) any {
		switch query, _ := c.in["query"].(string); {
		case query == "prompt=none" && c.Header.Get("Authorization") != "Bearer "+w.access:
			return silently("https://birds.example:8443/back?error=login_required")
		case query == "prompt=none":
			return silently(birdsStays)
		case query == "client_id=silentscript":
			return silently("javascript:alert(1)")
		case query == "client_id=badkey" || c.Header.Get("X-Internal-Api-Key") != "the-key":
			return refuse(http.StatusUnauthorized, "this needs the internal API key")
		case query == "client_id=wild":
			return map[string]any{"client_name": "Wild", "redirect_uri": "https://*;script-src/", "scopes": []string{}}
		case query == "client_id=app":
			return map[string]any{"client_name": "App", "redirect_uri": "com.example.app:/back", "scopes": []string{}}
		case !strings.HasPrefix(query, asking):
			return refuse(http.StatusBadRequest, "the application is not known here")
		}
		return map[string]any{
			"client_id": "birds", "client_name": `Paper <b>Birds</b> & "co"`, "redirect_uri": "https://birds.example:8443/back",
			"scopes": []string{"openid", "profile", "email", "votes:read", "votes:write", "<new>"},
		}
	})
	w.auth.onBearer("POST /oauth2/decision", func(c *call) any {
		query := c.in["query"]
		switch {
		case c.Header.Get("X-Internal-Api-Key") != "the-key" || query == "client_id=gone":
			return refuse(http.StatusUnauthorized, "signed out")
		case query == "client_id=again":
			return refuse(http.StatusConflict, "the application wants you to sign in again")
		case query == "client_id=script":
			return map[string]string{"redirect_to": "javascript:alert(1)"}
		case query == "client_id=silent":
			return map[string]string{}
		case query != asking:
			return refuse(http.StatusBadRequest, "the application is not known here")
		case c.in["approve"] == true:
			return map[string]string{"redirect_to": birdsStays}
		}
		return map[string]string{"redirect_to": birdsGoes}
	})
}

func silently(to string) map[string]any {
	return map[string]any{"client_name": "", "redirect_uri": "", "scopes": []string{}, "redirect_to": to}
}

// toSignIn is where the person is led, and back from.
func toSignIn(query, why string) string {
	values := url.Values{"next": {"/authorize?" + query}}
	if why != "" {
		values.Set("why", why)
	}
	return "/login?" + values.Encode()
}

// policyTo is the policy of a page whose form may lead to the origin.
func policyTo(origin string) string {
	return strings.Replace(wantPolicy, "form-action 'self'", "form-action 'self' "+origin, 1)
}

func decision(query, value string) url.Values {
	return url.Values{"query": {query}, "decision": {value}}
}

func TestConsentIsAsked(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/authorize?"+asking, w.signedIn)
	a.check(t, "the page", 200,
		a.header.Get("Content-Security-Policy"), policyTo("https://birds.example:8443"),
		text(a.tags("h1")[0]), `Allow Paper <b>Birds</b> & "co" access?`,
		strings.Join(texts(a, "li", ""), "; "), "know who you are; see your username; see your e-mail address; "+
			"see your votes; vote and remove votes for you; use “<new>”",
		text(a.class("other")), "Either way you continue to birds.example:8443 .",
		a.body, lacks("<b>Birds"))
	form := markup(t, a.id("consent-form"))
	for _, want := range []string{`action="/authorize" method="post"`, `name="decision" value="allow">Allow<`,
		`name="decision" value="deny">Deny<`} {
		check(t, "the form lacks "+want, form, has(want))
	}
	check(t, "the form", form, lacks("hx-"), attr(a.tags("input")[0], "value"), asking)
	a = w.get("/authorize?client_id=app", w.signedIn)
	a.check(t, "an app", 200, a.header.Get("Content-Security-Policy"), policyTo("com.example.app:"),
		text(a.class("other")), "Either way you continue to com.example.app .")
}

func TestTheDecisionLeadsOn(t *testing.T) {
	w := startWebsite(t)
	for _, row := range []struct{ name, query, decision, to, policy string }{
		{"allow", asking, "allow", birdsStays, policyTo("https://birds.example:8443")},
		{"deny", asking, "deny", birdsGoes, policyTo("https://birds.example:8443")},
		{"sign in again", "client_id=again", "allow", toSignIn("client_id=again", "again"), wantPolicy},
		{"signed out elsewhere", "client_id=gone", "allow", toSignIn("client_id=gone", "expired"), wantPolicy},
	} {
		a := w.post("/authorize", decision(row.query, row.decision), w.signedIn)
		a.check(t, row.name, 303, a.header.Get("Location"), row.to, a.header.Get("Content-Security-Policy"), row.policy,
			a.header.Get("Cache-Control"), "private, no-store")
	}
	a := w.get(toSignIn("client_id=again", "again"), w.signedIn)
	a.check(t, "sign in again", 200, text(a.class("why")), "The application asks you to sign in again before you decide.")
}

func TestNobodyIsAskedSilently(t *testing.T) {
	w := startWebsite(t)
	for name, row := range map[string]struct {
		who option
		to  string
	}{
		"signed in":            {w.signedIn, birdsStays},
		"nobody":               {nobody, "https://birds.example:8443/back?error=login_required"},
		"a session that ended": {as("ended"), "https://birds.example:8443/back?error=login_required"},
	} {
		a := w.get("/authorize?prompt=none", row.who)
		a.check(t, name, 303, a.header.Get("Location"), row.to, a.header.Get("Cache-Control"), "private, no-store")
	}
}

func TestConsentNeedsSignIn(t *testing.T) {
	w := startWebsite(t)
	long := asking + "&nonce=" + strings.Repeat("n", 2000)
	for _, row := range []struct {
		name, query, why string
		who              option
	}{
		{"nobody", asking, "", nobody},
		{"nobody, asked at length", long, "", nobody},
		{"a session that ended", asking, "expired", as("ended")},
		{"an application with its own token", asking, "expired", w.application()},
	} {
		for method, a := range map[string]answer{
			"GET": w.get("/authorize?"+row.query, row.who), "POST": w.post("/authorize", decision(row.query, "allow"), row.who),
		} {
			a.check(t, method+", "+row.name, 303, a.header.Get("Location"), toSignIn(row.query, row.why))
		}
	}
	a := w.get(toSignIn(asking, ""))
	check(t, "the answer", text(a.class("why")),
		"An application asks for access to your account. Sign in to decide.")
	a = w.post("/login", ada("next", "/authorize?"+long))
	check(t, "the answer", a.header.Get("Location"), landing("/authorize?"+long))
}

func TestConsentIsRefused(t *testing.T) {
	w := startWebsite(t)
	signedIn := w.signedIn
	crossSite := header("Sec-Fetch-Site", "cross-site")
	huge := strings.Repeat("x", 4000)
	for name, row := range map[string]struct {
		a       answer
		status  int
		heading string
	}{
		"asked by a stranger":    {w.get("/authorize?client_id=x", signedIn), 400, "Bad request"},
		"asked with another key": {w.get("/authorize?client_id=badkey", signedIn), 500, "Something went wrong"},
		"led to a wild card":     {w.get("/authorize?client_id=wild", signedIn), 500, "Something went wrong"},
		"asked nothing":          {w.get("/authorize", nobody), 400, "Bad request"},
		"asked too much":         {w.get("/authorize?"+huge, nobody), 400, "Bad request"},
		"a stranger allowed": {w.post("/authorize", decision("client_id=x", "allow"), signedIn), 400,
			"Bad request"},
		"led to a script": {w.post("/authorize", decision("client_id=script", "allow"), signedIn), 500,
			"Something went wrong"},
		"led to a script unasked": {w.get("/authorize?client_id=silentscript", nobody), 500,
			"Something went wrong"},
		"led nowhere": {w.post("/authorize", decision("client_id=silent", "allow"), signedIn), 503,
			"Not available right now"},
		"neither allowed nor denied": {w.post("/authorize", decision(asking, "perhaps"), signedIn), 400, "Bad request"},
		"posted a foreign place": {w.post("/authorize", decision("x#//evil.example", "allow"), nobody), 400,
			"Bad request"},
		"posted by another site": {w.post("/authorize", decision(asking, "allow"), signedIn, crossSite), 403,
			"Not allowed"},
	} {
		row.a.check(t, name, row.status, text(row.a.tags("h1")[0]), row.heading, row.a.header.Get("Location"), "",
			row.a.header.Get("Content-Security-Policy"), wantPolicy, row.a.body, lacks("not known here"))
	}
	for name, a := range map[string]answer{
		"asked": w.get("/authorize?client_id=x", signedIn), "asked too much": w.get("/authorize?"+huge, nobody),
		"allowed": w.post("/authorize", decision("client_id=x", "allow"), signedIn),
	} {
		check(t, name, text(a.class("lead")), begins("The application that sent you here made an invalid request"))
	}
}

func TestConsentWithoutAuth(t *testing.T) {
	w := startWebsite(t)
	hold := func(what string) {
		for method, a := range map[string]answer{
			"GET": w.get("/authorize?"+asking, w.signedIn), "POST": w.post("/authorize", decision(asking, "allow"), w.signedIn),
		} {
			a.check(t, what+", "+method, 503, text(a.tags("h1")[0]), "Not available right now", a.header.Get("Set-Cookie"), "")
		}
	}
	w.auth.failure.Store(broken)
	hold("the keys are not known")
	w.auth.failure.Store(none)
	w.get("/authorize?"+asking, w.signedIn)
	w.auth.failure.Store(broken)
	hold("the person is known")
}

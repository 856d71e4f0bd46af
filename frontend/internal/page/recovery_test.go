package page_test

import (
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func TestWhoForgotThePasswordGetsALink(t *testing.T) {
	w := startWebsite(t)
	check(t, "sign-in leads there", text(w.get("/login").id("main")), has("Forgot your password?"))
	const said = "If an account has this address, we sent an e-mail with a link. The link works for one hour."
	a := w.post("/forgot", url.Values{"email": {"ada@example.org"}})
	a.check(t, "the answer", 303, a.header.Get("Location"), "/forgot?done=sent")
	check(t, "the page", text(w.get("/forgot?done=sent").class("done")), said)
	a = w.post("/forgot", url.Values{"email": {"ada@example.org"}}, w.byHtmx("/forgot"))
	a.check(t, "by htmx", 200, text(a.class("done")), said, a.body, lacks("ada@example.org"), a.body, lacks("<html"))
	for name, row := range map[string]struct {
		email   string
		status  int
		problem string
	}{
		"no address": {"", 422, "below."},
		"too often":  {"busy@b.example", 429, "Too many attempts. Wait 30 seconds and try again."},
		"no mail":    {"away@b.example", 503, "We cannot send e-mail right now. Please try again later."},
	} {
		for how, o := range w.ways("/forgot") {
			a := w.post("/forgot", url.Values{"email": {row.email}}, o)
			a.check(t, name+", "+how, row.status, text(a.id("forgot-form-problem")), has(row.problem),
				attr(a.id("email"), "value"), row.email, strings.Contains(a.body, "<html"), how == "whole")
		}
	}
}

func TestALinkSetsAPassword(t *testing.T) {
	w := startWebsite(t)
	const bad = "This link no longer works: it was used, is older than an hour, or a newer one was sent."
	before := w.auth.asked.Load()
	a := w.get("/reset?token=t0k3n")
	a.check(t, "opening the link changes nothing", 200, w.auth.asked.Load(), before,
		attr(a.first(func(n *html.Node) bool { return attr(n, "name") == "token" }), "value"), "t0k3n",
		a.header.Get("Referrer-Policy"), "no-referrer", a.header.Get("Cache-Control"), has("no-store"),
		attr(a.class("own-first"), "href"), "/login")
	in := url.Values{"token": {"t0k3n"}, "new_password": {"close sesame please"}}
	a = w.post("/reset", in, w.signedIn)
	a.check(t, "the answer", 303, a.header.Get("Location"), "/login?why=reset", len(a.header.Values("Set-Cookie")), 2)
	check(t, "sign-in says so", text(w.get("/login?why=reset").class("why")),
		"Your password was changed. Sign in with the new one.")
	a = w.post("/reset", in, w.byHtmx("/reset"))
	a.check(t, "by htmx", 204, a.header.Get("HX-Redirect"), "/login?why=reset")
	for how, o := range w.ways("/reset") {
		a := w.post("/reset", url.Values{"token": {"t0k3n"}, "new_password": {"short"}}, o)
		a.check(t, "a short one, "+how, 422, text(a.class("field-error")), "New password must be longer",
			a.body, has(`value="t0k3n"`), a.body, lacks("short"))
		a = w.post("/reset", url.Values{"token": {"old"}, "new_password": {"close sesame please"}}, o)
		a.check(t, "an old link, "+how, 409, text(a.id("reset-form-problem")), bad, a.body, lacks("sesame"))
	}
	w.auth.failure.Store(broken)
	a = w.post("/reset", in)
	a.check(t, "away", 503, text(a.id("reset-form-problem")),
		begins("Sign-in is not available right now. Nothing was changed."))
	check(t, "the log", w.log.String(), lacks("t0k3n"), w.log.String(), lacks("sesame"))
}

func TestALinkConfirmsAnAddress(t *testing.T) {
	w := startWebsite(t)
	before := w.auth.asked.Load()
	a := w.get("/confirm?token=t0k3n")
	a.check(t, "opening the link changes nothing", 200, w.auth.asked.Load(), before,
		a.header.Get("Referrer-Policy"), "no-referrer", texts(a, "button", "button-wide"), []string{"Confirm this address"})
	a = w.post("/confirm", url.Values{"token": {"t0k3n"}})
	a.check(t, "the answer", 303, a.header.Get("Location"), "/confirm?done=confirmed")
	a = w.get("/confirm?done=confirmed")
	check(t, "the page", text(a.class("done")), "Your e-mail address is confirmed.",
		len(texts(a, "button", "button-wide")), 0)
	for token, problem := range map[string]string{"old": "This link no longer works", "taken": "Another account has"} {
		a = w.post("/confirm", url.Values{"token": {token}})
		a.check(t, token, 409, text(a.id("confirm-form-problem")), begins(problem))
	}
}

func TestTheAddressIsChangedAndConfirmed(t *testing.T) {
	w := startWebsite(t)
	in := url.Values{"email": {"a@b.example"}, "email_password": {"open sesame please"}}
	const said = "We sent a link to the new address. Open it to finish the change."
	a := w.post("/account/email", in, w.here("user"))
	a.check(t, "the answer", 303, a.header.Get("Location"), "/account?done=email#email-panel")
	check(t, "the page", text(w.get("/account?done=email", w.here("user")).class("done")), said)
	a = w.post("/account/email", in, w.here("user"), w.byHtmx("/account"))
	a.check(t, "by htmx", 200, text(a.class("done")), said, a.body, lacks("sesame"), a.body, lacks("<html"))
	for how, o := range w.ways("/account") {
		in := url.Values{"email": {"a@b.example"}, "email_password": {"a guess"}}
		a := w.post("/account/email", in, w.here("user"), o)
		a.check(t, "a wrong password, "+how, 422, text(a.id("email_password-error")), "Password is wrong",
			attr(a.id("email"), "value"), "a@b.example", a.body, lacks("a guess"))
		in.Set("email", "away@b.example")
		a = w.post("/account/email", in, w.here("user"), o)
		a.check(t, "no mail, "+how, 503, text(a.id("email-form-problem")), begins("We cannot send e-mail right now."))
	}
	a = w.post("/account/email/verification", nil, w.here("user"))
	a.check(t, "another mail", 303, a.header.Get("Location"), "/account?done=verification#profile")
	check(t, "the page", text(w.get("/account?done=verification", w.here("user")).class("done")),
		"We sent you an e-mail with a link.")
	w.verified = true
	a = w.post("/account/email/verification", nil, w.here("user"), w.byHtmx("/account"))
	a.check(t, "by htmx", 200, text(a.class("notice")), "We sent you an e-mail with a link.")
	check(t, "a confirmed one", w.get("/account", w.here("user")).body, lacks("not confirmed"))
}

func TestAdminsSendAReset(t *testing.T) {
	w := startWebsite(t)
	const said = "A password reset e-mail was sent."
	a := w.post("/admin/people/8/reset", url.Values{"q": {"c"}}, w.here("admin"))
	a.check(t, "the answer", 303, a.header.Get("Location"), "/admin/people?q=c&sent=8#person-8")
	check(t, "the page", text(w.get("/admin/people?q=c&sent=8", w.here("admin")).id("person-done-8")), said)
	a = w.post("/admin/people/8/reset", url.Values{}, w.here("admin"), w.byHtmx("/admin/people"))
	a.check(t, "by htmx", 200, text(a.class("notice")), said)
	check(t, "who got a mail", w.mailedTo, []any{"8", "8"})
	w.post("/admin/people/404/reset", url.Values{}, w.here("admin")).check(t, "nobody", 404)
	w.post("/admin/people/x/reset", url.Values{}, w.here("admin")).check(t, "no id", 404)
	w.post("/admin/people/8/reset", url.Values{}, w.here("curator")).check(t, "a curator", 403)
	a = w.get("/admin/people", w.here("admin"))
	check(t, "buttons of who is disabled", a.id("reset-9") == nil, true, a.id("reset-8") != nil, true)
}

package page_test

import (
	"net/url"
	"strings"
	"testing"
)

func TestAdminIsForThoseWithTheRole(t *testing.T) {
	w := startWebsite(t)
	for role, row := range map[string]struct {
		navigation     string
		admin, people  int
		heading, links string
	}{
		"user":    {"Gallery Today Status Your account: person-7 Sign out", 403, 403, "Not allowed", ""},
		"curator": {"Gallery Today Status Your account: person-7 Sign out", 200, 403, "Admin", "Pieces"},
		"admin":   {"Gallery Today Status Your account: person-7 Sign out", 200, 200, "Admin", "People Pieces"},
	} {
		a := w.get("/admin", w.here(role))
		a.check(t, role, row.admin, text(a.class("site-nav")), row.navigation, text(a.tags("h1")[0]), row.heading,
			strings.Join(texts(a, "a", "cover"), " "), row.links)
		a = w.get("/admin/people", w.here(role))
		a.check(t, role, row.people, text(a.class("lead")) == "Only admins can open this page.", row.people == 403)
		a = w.post("/admin/people/9/disabled", url.Values{"disabled": {"false"}}, w.here(role))
		check(t, role+" enables somebody", a.status == 403, row.people == 403)
	}
}

func TestPeopleAreListedAndFound(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/admin/people", w.here("admin"))
	got := append(texts(a, "h2", ""), text(a.class("own")), text(a.id("person-8")))
	want := []string{
		"person-7", "crane",
		"Change your own role The change takes effect at once. Only another admin can undo it. " +
			"Role of person-7 User Curator Admin Set the role of person-7 Disable person-7 " +
			"Send a password reset to person-7",
		`crane "><script>@example.com · User · since 20 November 2026 ` +
			"Role of crane User Curator Admin Set the role of crane Disable crane Send a password reset to crane",
	}
	check(t, "the page", got, want, attr(a.class("more").FirstChild, "href"), "/admin/people?cursor=two%3D", a.body,
		lacks("<script>@"))
	last := w.get("/admin/people?cursor=two%3D", w.here("admin"))
	heron := text(last.id("person-9"))
	check(t, "last page", heron, begins("heron disabled h@example.com · Curator"), heron, ends("Enable heron"),
		text(last.class("the-end")) != "", true)
	found := w.get("/admin/people?q=ran", w.here("admin"))
	check(t, "the answer", texts(found, "h2", ""), []string{"crane"}, attr(found.id("q"), "value"), "ran")
	check(t, "nobody", text(w.get("/admin/people?q=nobody", w.here("admin")).class("away-heading")), "No people found")
	long := w.get("/admin/people?q="+strings.Repeat("a", 300), w.here("admin"))
	long.check(t, "too long", 422, text(long.class("form-problem")), begins("Please search for part"))
}

func TestPersonIsChanged(t *testing.T) {
	w := startWebsite(t)
	for _, row := range []struct{ path, field, value, state, says string }{
		{"/admin/people/8/role", "role", "curator", "Curator", "crane is enabled. Role: Curator."},
		{"/admin/people/8/disabled", "disabled", "true", "disabled", "crane is disabled. Role: Curator."},
		{"/admin/people/8/disabled", "disabled", "false", "Disable crane", "crane is enabled. Role: Curator."},
	} {
		form := url.Values{row.field: {row.value}, "q": {"ran&"}, "cursor": {"c="}}
		a := w.post(row.path, form, w.here("admin"))
		a.check(t, row.path, 303, a.header.Get("Location"), "/admin/people?cursor=c%3D&q=ran%26#person-8")
		a = w.post(row.path, form, w.here("admin"), w.byHtmx("/admin/people"))
		a.check(t, row.path+" by htmx", 200, text(a.id("person-8")), has(row.state), a.body, has(row.says), a.body,
			lacks("<html"))
	}
	for path, form := range map[string]url.Values{
		"/admin/people/404/role": {"role": {"user"}}, "/admin/people/8/disabled": {"disabled": {"perhaps"}},
		"/admin/people/8/role": {"role": {"user"}, "id": {"7"}},
	} {
		if a := w.post(path, form, w.here("admin"), w.byHtmx("/admin/people")); a.status != 404 && a.status != 400 ||
			a.class("notice") == nil {
			t.Errorf("%s %v: %d %s", path, form, a.status, a.body)
		}
	}
}

func TestTheLastAdminIsKept(t *testing.T) {
	w := startWebsite(t)
	for path, form := range map[string]url.Values{"/admin/people/7/role": {"role": {"user"}},
		"/admin/people/7/disabled": {"disabled": {"true"}}} {
		for how, o := range w.ways("/admin/people") {
			a := w.post(path, form, w.here("admin"), o)
			a.check(t, path+" "+how, 409,
				text(a.id("person-note-7")), "This is the last admin. Make somebody else an admin first.",
				strings.Contains(a.body, "<html"), how == "whole")
			check(t, path+" "+how, text(a.id("person-7")), lacks("disabled"), text(a.id("person-7")), has("· Admin ·"))
		}
	}
}

// TestAdminsWhoChangeThemselves see what they lost at once.
func TestAdminsWhoChangeThemselves(t *testing.T) {
	w := startWebsite(t)
	w.people[1]["role"] = "admin"
	a := w.post("/admin/people/7/role", url.Values{"role": {"curator"}}, w.here("admin"), w.byHtmx("/admin/people"))
	check(t, "another role", a.header.Get("HX-Redirect"), "/account", len(a.header.Values("Set-Cookie")), 2,
		w.refreshes.Load(), int32(1))
	a = w.post("/admin/people/7/disabled", url.Values{"disabled": {"true"}}, w.here("admin"))
	check(t, "disabled", a.header.Get("Location"), "/", a.header.Get("Set-Cookie"), has("Max-Age=0"))
}

package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/frontend/internal/page"

	"github.com/google/go-cmp/cmp"
)

func TestAdminIsForThoseWithTheRole(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for role, row := range map[string]struct {
		navigation     string
		admin, people  int
		heading, links string
	}{
		"user":    {"Gallery Today Status Your account: person-7 Sign out", 403, 403, "Not through this gate", ""},
		"curator": {"Gallery Today Status Your account: person-7 Admin Sign out", 200, 403, "Admin", "Pieces"},
		"admin":   {"Gallery Today Status Your account: person-7 Admin Sign out", 200, 200, "Admin", "People Pieces"},
	} {
		a := w.get("/admin", w.here(role))
		got := []string{text(a.class("site-nav")), text(a.tags("h1")[0]), strings.Join(texts(a, "a", "cover"), " ")}
		if diff := cmp.Diff(got, []string{row.navigation, row.heading, row.links}); a.status != row.admin || diff != "" {
			t.Errorf("%s: %d (-got +want):\n%s", role, a.status, diff)
		}
		a = w.get("/admin/people", w.here(role))
		if a.status != row.people || row.people == 403 && !strings.Contains(text(a.class("lead")), "it is for admins") {
			t.Errorf("%s: people %d %q", role, a.status, text(a.class("lead")))
		}
		if a := w.post("/admin/people/9/disabled", url.Values{"disabled": {"false"}}, w.here(role)); (a.status == 403) != (row.people == 403) {
			t.Errorf("%s: enables somebody: %d", role, a.status)
		}
	}
}

func TestPeopleAreListedAndFound(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	a := w.get("/admin/people", w.here("admin"))
	got := append(texts(a, "h2", ""), text(a.class("own")), text(a.id("person-8")))
	want := []string{
		"person-7", "crane", "Change your own rights You lose what you take from yourself at once. Only another admin can give it back. " +
			"Role of person-7 User Curator Admin Set the role of person-7 Disable person-7",
		`crane "><script>@example.com · User · since 20 November 2026 Role of crane User Curator Admin Set the role of crane Disable crane`,
	}
	if diff := cmp.Diff(got, want); diff != "" || attr(a.class("more").FirstChild, "href") != "/admin/people?cursor=two%3D" || strings.Contains(a.body, "<script>@") {
		t.Errorf("(-got +want):\n%s\n%s", diff, markup(t, a.class("more")))
	}
	last := w.get("/admin/people?cursor=two%3D", w.here("admin"))
	if got := text(last.id("person-9")); !strings.HasPrefix(got, "heron disabled h@example.com · Curator") || !strings.HasSuffix(got, "Enable heron") || text(last.class("the-end")) == "" {
		t.Errorf("last page: %q", got)
	}
	found := w.get("/admin/people?q=ran", w.here("admin"))
	if got := texts(found, "h2", ""); !cmp.Equal(got, []string{"crane"}) || attr(found.id("q"), "value") != "ran" {
		t.Errorf("found %q for %q", got, attr(found.id("q"), "value"))
	}
	if got := text(w.get("/admin/people?q=nobody", w.here("admin")).class("away-heading")); got != "Nobody fits" {
		t.Errorf("nobody: %q", got)
	}
	long := w.get("/admin/people?q="+strings.Repeat("a", 300), w.here("admin"))
	if long.status != http.StatusUnprocessableEntity || !strings.HasPrefix(text(long.class("form-problem")), "That cannot be searched for.") {
		t.Errorf("too long: %d %s", long.status, long.body)
	}
}

func TestPersonIsChanged(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for _, row := range []struct{ path, field, value, state, says string }{
		{"/admin/people/8/role", "role", "curator", "Curator", "crane is enabled. Role: Curator."},
		{"/admin/people/8/disabled", "disabled", "true", "disabled", "crane is disabled. Role: Curator."},
		{"/admin/people/8/disabled", "disabled", "false", "Disable crane", "crane is enabled. Role: Curator."},
	} {
		form := url.Values{row.field: {row.value}, "q": {"ran&"}, "cursor": {"c="}}
		a := w.post(row.path, form, w.here("admin"))
		if got := a.header.Get("Location"); a.status != http.StatusSeeOther || got != "/admin/people?cursor=c%3D&q=ran%26#person-8" {
			t.Errorf("%s: %d to %q", row.path, a.status, got)
		}
		a = w.post(row.path, form, w.here("admin"), w.byHtmx("/admin/people"))
		if a.status != http.StatusOK || !strings.Contains(text(a.id("person-8")), row.state) || !strings.Contains(a.body, row.says) || strings.Contains(a.body, "<html") {
			t.Errorf("%s by htmx: %d %s", row.path, a.status, a.body)
		}
	}
	for path, form := range map[string]url.Values{
		"/admin/people/404/role": {"role": {"user"}}, "/admin/people/8/disabled": {"disabled": {"perhaps"}}, "/admin/people/8/role": {"role": {"user"}, "id": {"7"}},
	} {
		if a := w.post(path, form, w.here("admin"), w.byHtmx("/admin/people")); a.status != 404 && a.status != 400 || a.class("notice") == nil {
			t.Errorf("%s %v: %d %s", path, form, a.status, a.body)
		}
	}
}

func TestTheLastAdminIsKept(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	for path, form := range map[string]url.Values{"/admin/people/7/role": {"role": {"user"}}, "/admin/people/7/disabled": {"disabled": {"true"}}} {
		for how, options := range map[string][]option{"by htmx": {w.byHtmx("/admin/people")}, "without": nil} {
			a := w.post(path, form, append(options, w.here("admin"))...)
			got := text(a.id("person-note-7"))
			if a.status != http.StatusConflict || got != "This is the last admin. Make somebody else one first." || strings.Contains(a.body, "<html") == (how == "by htmx") {
				t.Errorf("%s %s: %d %q", path, how, a.status, got)
			}
			if row := text(a.id("person-7")); strings.Contains(row, "disabled") || !strings.Contains(row, "· Admin ·") {
				t.Errorf("%s %s: %q", path, how, row)
			}
		}
	}
}

// TestAdminsWhoChangeThemselves see what they lost at once.
func TestAdminsWhoChangeThemselves(t *testing.T) {
	t.Parallel()
	w := newWebsite(t, page.Settings{})
	w.people.all[1]["role"] = "admin"
	a := w.post("/admin/people/7/role", url.Values{"role": {"curator"}}, w.here("admin"), w.byHtmx("/admin/people"))
	if got := a.header.Values("Set-Cookie"); a.header.Get("HX-Redirect") != "/account" || len(got) != 2 || w.refreshes.Load() != 1 {
		t.Errorf("another role: to %q, cookies %q, %d refreshes", a.header.Get("HX-Redirect"), got, w.refreshes.Load())
	}
	a = w.post("/admin/people/7/disabled", url.Values{"disabled": {"true"}}, w.here("admin"))
	if got := a.header.Get("Set-Cookie"); a.header.Get("Location") != "/" || !strings.Contains(got, "Max-Age=0") {
		t.Errorf("disabled: to %q, cookie %q", a.header.Get("Location"), got)
	}
}

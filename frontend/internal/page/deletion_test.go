package page_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAnAccountIsDeleted(t *testing.T) {
	w := startWebsite(t)
	check(t, "the account leads there", text(w.get("/account", w.here("user")).id("data")), has("Delete your account"))
	for how, o := range w.ways("/account/delete") {
		for password, row := range map[string]struct {
			status         int
			problem, field string
		}{
			"a guess": {422, "below.", "Password is wrong"},
			"last":    {409, "You are the last admin, or", ""},
		} {
			a := w.post("/account/delete", url.Values{"password": {password}}, w.here("user"), o)
			a.check(t, password+", "+how, row.status, text(a.id("deletion-form-problem")), has(row.problem),
				text(a.class("field-error")), row.field, a.header.Get("Set-Cookie"), "", a.body, lacks(`value="`+password))
		}
	}
	check(t, "nothing is deleted", len(w.ended), 0)
	a := w.post("/account/delete", url.Values{"password": {"open sesame please"}}, w.here("user"))
	a.check(t, "the answer", 303, a.header.Get("Location"), "/login?why=deleted", len(a.header.Values("Set-Cookie")), 2,
		a.header.Values("Set-Cookie")[0], has("Max-Age=0"))
	check(t, "it is deleted", w.ended, []string{"/api/auth/me/delete"})
	check(t, "sign-in says so", text(w.get("/login?why=deleted").class("why")),
		"Your account and your votes were deleted.")
	w.auth.failure.Store(broken)
	a = w.post("/account/delete", url.Values{"password": {"open sesame please"}}, w.here("user"))
	a.check(t, "away", 503, text(a.id("deletion-form-problem")), has("Nothing was deleted"))
}

func TestDataIsExportedWholeOrNotAtAll(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/account/export", w.here("user"))
	a.check(t, "the file", 200, a.header.Get("Content-Disposition"), `attachment; filename="craftista-person-7.json"`,
		a.header.Get("Content-Type"), "application/json", a.header.Get("Cache-Control"), has("no-store"))
	var got map[string]json.RawMessage
	if err := json.Unmarshal([]byte(a.body), &got); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[string]any{
		"account": map[string]any{"id": 7.0, "username": "person-7", "email": "seven@example.com", "email_verified": false,
			"role": "curator", "created_at": "2026-01-02T03:04:05Z"},
		"catalogue": map[string]any{"votes": []any{}, "added": []any{}},
	} {
		var v any
		if err := json.Unmarshal(got[part], &v); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", part, diff)
		}
	}
	check(t, "sessions", string(got["sessions"]), has("Birds"), string(got["sessions"]), has("Firefox on Linux"))
	for _, part := range []*fake{w.product, w.auth} {
		part.failure.Store(broken)
		w.get("/account/export", w.here("user")).check(t, "without a part", 503)
	}
}

package e2e

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"craftista/shared/mailbox"
	"craftista/shared/waittest"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"
)

// TestForgottenPassword follows the links of mails, with JavaScript and without.
func TestForgottenPassword(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, _ bool) {
		name, next := b.join(), "folded-anew-by-the-tests"
		b.goTo(linkTo(t, s, name, "/confirm"))
		b.submit("#confirm-form")
		b.see(".done", "Your e-mail address is confirmed.")
		b.goTo("/account")
		b.lacks("#profile", "not confirmed")
		b.click("#sign-out")
		b.see(".site-nav", "Sign in")

		device := signIn(t, s.URLs["frontend"], name, passphrase)
		b.goTo("/login")
		b.click(`a[href="/forgot"]`)
		b.fill("#email", name+"@example.com")
		b.submit("#forgot-form")
		b.see(".done", "we sent an e-mail with a link")
		link := linkTo(t, s, name, "/reset")
		b.goTo(link)
		b.fill("#new_password", "qwertyuiop")
		b.submit("#reset-form")
		b.see("#new_password-error", "most common")
		b.fill("#new_password", next)
		b.submit("#reset-form")
		b.see(".why", "Your password was changed.")
		wantSignedOut(t, device, s.URLs["frontend"])
		b.fill("#username", name)
		b.fill("#password", next)
		b.submit("#login-form")
		b.see(".site-nav", name)
		b.goTo(link)
		b.fill("#new_password", next)
		b.submit("#reset-form")
		b.see("#reset-form-problem", "This link no longer works")
	})
}

// TestDeletedAccount has the catalogue stop before people delete their accounts, with JavaScript and without, and all
// of it start again: the votes are taken back then.
func TestDeletedAccount(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front, db := s.URLs["frontend"], openDatabase(t, s.Config.DatabaseURL)
	counts := func() (text string) {
		const query = `SELECT array_agg(votes ORDER BY id)::text FROM product.products`
		if err := db.GetContext(t.Context(), &text, query); err != nil {
			t.Fatal(err)
		}
		return text
	}
	before := counts()
	browsers := []*tab{open(t, s, true), open(t, s, false)}
	var devices []*http.Client
	for _, b := range browsers {
		name := b.join()
		client := signIn(t, front, name, passphrase)
		for _, product := range []string{"1", "2"} {
			do(t, client, post(t, front+"/origamis/"+product+"/vote", nil))
		}
		file := do(t, client, get(t, front+"/account/export"))
		if !strings.Contains(file.Body, name+"@example.com") || strings.Count(file.Body, `"origami_id"`) != 2 {
			t.Errorf("the export is %d %s", file.Status, file.Body)
		}
		devices = append(devices, client)
	}
	if err := s.StopPart("product"); err != nil {
		t.Fatal(err)
	}
	for i, b := range browsers {
		b.goTo("/account/delete")
		b.fill("#password", "not-my-password")
		b.submit("#deletion-form")
		b.see("#password-error", "is wrong")
		b.fill("#password", passphrase)
		b.submit("#deletion-form")
		b.see(".why", "Your account and your votes were deleted")
		wantSignedOut(t, devices[i], front)
	}
	if counts() == before {
		t.Error("nobody has voted")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	stacktest.Start(t, func(c *local.Config) { c.DatabaseURL = s.Config.DatabaseURL })
	waittest.Until(t, "the votes are taken back", func() bool { return counts() == before })
}

// linkTo is the path with the query of a link to the page of the site, in the newest mail to that person that has one.
func linkTo(t *testing.T, s *local.Stack, name, page string) (link string) {
	t.Helper()
	pattern := regexp.MustCompile(regexp.QuoteMeta(s.URLs["frontend"]) + `(` + page + `\?token=\S+)`)
	waittest.Until(t, "the mail to "+name+" is there", func() bool {
		return slices.ContainsFunc(s.Mails.All(), func(m mailbox.Mail) bool {
			found := pattern.FindStringSubmatch(m.Text)
			if found == nil || m.To[0] != name+"@example.com" {
				return false
			}
			link = found[1]
			return true
		})
	})
	return link
}

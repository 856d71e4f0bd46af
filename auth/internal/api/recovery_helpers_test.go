package api_test

import (
	"net"
	"net/http"
	"net/url"
	"regexp"
	"sync"
	"testing"

	"craftista/auth/internal/mail"
	"craftista/shared/mailbox"
	"craftista/shared/waittest"
)

const (
	forgotPath       = "/api/auth/password/forgot"
	resetPath        = "/api/auth/password/reset"
	emailPath        = "/api/auth/email"
	confirmPath      = "/api/auth/email/confirm"
	verificationPath = "/api/auth/email/verification"
)

// newBox starts an SMTP server, and returns a sender to it.
func newBox(t testing.TB) (*mailbox.Box, *mail.SMTP) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var box mailbox.Box
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := box.Serve(t.Context(), l); err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(serving.Wait) // the test's context is done by then
	sender, err := mail.NewSMTP("smtp://"+l.Addr().String()+"?tls=none", "Craftista <mail@craftista.example>")
	if err != nil {
		t.Fatal(err)
	}
	return &box, sender
}

// startWithMail starts a service with Crane, who has got the mail of registration.
func startWithMail(t *testing.T) (*service, *mailbox.Box) {
	t.Helper()
	s, box, _ := startWithMailAndClock(t)
	return s, box
}

func startWithMailAndClock(t *testing.T) (*service, *mailbox.Box, *clock) {
	t.Helper()
	box, sender := newBox(t)
	clock := newClock()
	s := start(t, setup{sender: sender, now: clock.now})
	s.person(t)
	await(t, box, 1)
	return s, box, clock
}

// await returns the newest mail once there are so many.
func await(t *testing.T, box *mailbox.Box, n int) mailbox.Mail {
	t.Helper()
	waittest.Until(t, "the mail is there", func() bool { return len(box.All()) >= n })
	equal(t, "mails", len(box.All()), n)
	return box.All()[0]
}

// linkPattern finds the link of a mail, alone on its line.
var linkPattern = regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(siteURL) + `/\S+$`)

// tokenOf is the token in the link of a mail, which leads to the path of the site.
func tokenOf(t *testing.T, m mailbox.Mail, path string) string {
	t.Helper()
	u, err := url.Parse(linkPattern.FindString(m.Text))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "where the link leads", u.Path, path)
	return u.Query().Get("token")
}

// forgot asks for a mail; the answer is the same for everybody.
func (s *service) forgot(t *testing.T, email string) {
	t.Helper()
	a := s.postJSON(t, forgotPath, map[string]string{"email": email})
	wantStatus(t, "forgot", a, http.StatusAccepted)
	equal(t, "body", a.Body, `{"message":"if somebody has this address, a mail with a link is on its way"}`)
}

func (s *service) reset(t *testing.T, token, password string) answer {
	t.Helper()
	return s.postJSON(t, resetPath, map[string]string{"token": token, "new_password": password})
}

func (s *service) confirm(t *testing.T, token string) answer {
	t.Helper()
	return s.postJSON(t, confirmPath, map[string]string{"token": token})
}

func (s *service) changeEmail(t *testing.T, access, email, password string) answer {
	t.Helper()
	in := map[string]string{"email": email, "password": password}
	return s.postJSON(t, emailPath, in, "Authorization", "Bearer "+access)
}

// wantBadToken checks that the token is refused, whatever is wrong with it.
func wantBadToken(t *testing.T, path string, a answer) {
	t.Helper()
	wantProblem(t, a, http.StatusUnprocessableEntity, path, "the link does not work any more",
		field("token", "is used up, too old, or not one that a mail brought"))
}

// useMail uses each path of mails once, for Crane, who is an admin. The password is as before then.
func (s *service) useMail(t *testing.T, box *mailbox.Box) {
	t.Helper()
	access := s.signIn(t)
	wantStatus(t, "again", s.request(t, http.MethodPost, verificationPath, "", "Authorization", "Bearer "+access), 202)
	wantNoContent(t, "confirm", s.confirm(t, tokenOf(t, await(t, box, 2), "/confirm")))
	wantStatus(t, "change", s.changeEmail(t, access, "heron@example.com", password), http.StatusAccepted)
	await(t, box, 4)
	a := s.request(t, http.MethodPost, usersPath+"/1/reset", "", "Authorization", "Bearer "+access)
	wantStatus(t, "an admin's mail", a, http.StatusAccepted)
	await(t, box, 5)
	s.forgot(t, "crane@example.com")
	wantNoContent(t, "reset", s.reset(t, tokenOf(t, await(t, box, 6), "/reset"), password))
	await(t, box, 7)
}

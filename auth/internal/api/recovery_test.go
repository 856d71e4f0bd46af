package api_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"craftista/auth/internal/mail"
	"craftista/auth/internal/throttle"
	"craftista/shared/fault"
	"craftista/shared/mailbox"
	"craftista/shared/waittest"
)

func field(name, message string) fault.Field { return fault.Field{Field: name, Message: message} }

func TestResetSetsThePasswordAndEndsEverySignIn(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	mine := s.tokens(t)
	wantStatus(t, "a new address", s.changeEmail(t, mine.Access, "thief@example.com", password), http.StatusAccepted)
	await(t, box, 3)
	change := tokenOf(t, newest(box, "Confirm your new e-mail address"), "/confirm")

	s.forgot(t, "CRANE@example.com")
	got := await(t, box, 4)
	equal(t, "recipient", got.To, []string{"Crane@Example.com"})
	equal(t, "subject", got.Subject, "Choose a new password")
	equal(t, "sender", got.Header.Get("From"), `"Craftista" <mail@craftista.example>`)
	equal(t, "Auto-Submitted", got.Header.Get("Auto-Submitted"), "auto-generated")
	token := tokenOf(t, got, "/reset")
	if !strings.Contains(got.HTML, siteURL+"/reset?token="+token) || !strings.Contains(got.Text, "Hello Crane,") {
		t.Errorf("the mail says\n%s\n%s", got.Text, got.HTML)
	}
	s.wantCount(t, "the token is stored", `SELECT count(*) FROM auth.mail_tokens
		WHERE purpose = 'reset' AND hash <> convert_to('`+token+`', 'UTF8')`, 1)

	wantNoContent(t, "reset", s.reset(t, token, newPassword))
	s.refusesRefresh(t, mine.Refresh)
	wantStatus(t, "the old password", s.login(t, "Crane", password), http.StatusUnauthorized)
	a := s.login(t, "Crane", newPassword)
	wantStatus(t, "the new password", a, http.StatusOK)
	me := s.getAs(t, read[tokens](t, a).Access, mePath)
	if !strings.Contains(me.Body, `"email_verified":true`) {
		t.Errorf("whoever got the mail has the address: %s", me.Body)
	}
	wantBadToken(t, resetPath, s.reset(t, token, newPassword))
	wantBadToken(t, confirmPath, s.confirm(t, change))
	told := await(t, box, 5)
	equal(t, "what is told", told.Subject, "Your password was changed")
	s.wantLog(t, `"msg":"password reset","service":"auth","user_id":1`)
	s.logsNothingOf(t, token, "example.com", "paper")
}

// newest is the newest mail with that subject.
func newest(box *mailbox.Box, subject string) mailbox.Mail {
	all := box.All()
	i := slices.IndexFunc(all, func(m mailbox.Mail) bool { return m.Subject == subject })
	return all[max(i, 0)]
}

func (s *service) logsNothingOf(t *testing.T, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		if logged := s.logs.String(); strings.Contains(logged, secret) {
			t.Errorf("%q is in the log:\n%s", secret, logged)
		}
	}
}

func TestTokensOfMailsAreRefused(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		before  string // a statement
		advance time.Duration
		change  func(token string) string
	}{
		"tampered":               {change: func(token string) string { return strings.ToUpper(token) }},
		"longer":                 {change: func(token string) string { return token + "A" }},
		"empty":                  {change: func(string) string { return "" }},
		"hostile":                {change: func(string) string { return "\x00' OR 1=1 --" }},
		"an hour old":            {advance: time.Hour},
		"another's":              {before: `UPDATE auth.mail_tokens SET purpose = 'verify' WHERE purpose = 'reset'`},
		"of one who is disabled": {before: `UPDATE auth.users SET disabled_at = now()`},
		"of another address":     {before: `UPDATE auth.users SET email = 'heron@example.com'`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, box, clock := startWithMailAndClock(t)
			s.exec(t, `DELETE FROM auth.mail_tokens`)
			s.forgot(t, "crane@example.com")
			token := tokenOf(t, await(t, box, 2), "/reset")
			if row.before != "" {
				s.exec(t, row.before)
			}
			clock.advance(row.advance)
			if row.change != nil {
				token = row.change(token)
			}
			wantBadToken(t, resetPath, s.reset(t, token, newPassword))
		})
	}
}

func TestATokenIsReplacedAndUsedOnce(t *testing.T) {
	t.Parallel()
	s, box, clock := startWithMailAndClock(t)
	s.forgot(t, "crane@example.com")
	first := tokenOf(t, await(t, box, 2), "/reset")
	s.forgot(t, "crane@example.com")
	second := tokenOf(t, await(t, box, 3), "/reset")
	wantBadToken(t, resetPath, s.reset(t, first, newPassword))
	wantBadToken(t, confirmPath, s.confirm(t, second))
	wantProblem(t, s.reset(t, second, "ninebytes"), http.StatusUnprocessableEntity, resetPath,
		"the request breaks a rule", field("new_password", lengthRule))
	clock.advance(time.Hour - time.Second)
	got := atOnce(4, func(i int) int { return s.reset(t, second, fmt.Sprint(i, " more paper cranes")).Status })
	equal(t, "how often each status", got, map[int]int{http.StatusNoContent: 1, http.StatusUnprocessableEntity: 3})
}

// TestNobodyLearnsWhoHasAnAccount compares the answers, and what was done before them: for an address that nobody has
// and for one that somebody has the same, and the rest is up to the queue.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	for _, email := range []string{"nobody@example.com", "журавль@пример.рф", strings.Repeat("a", 242) + "@example.com"} {
		s.forgot(t, email)
	}
	s.exec(t, `UPDATE auth.users SET disabled_at = now()`)
	s.forgot(t, "crane@example.com")
	s.exec(t, `UPDATE auth.users SET disabled_at = NULL`)
	s.forgot(t, "crane@example.com")
	got := await(t, box, 2)
	equal(t, "recipient", got.To, []string{"Crane@Example.com"})
	for _, email := range slices.Concat(hostile()[:8], []string{
		"crane@example.com\r\nBcc: all@example.com", "crane@example.com\nBcc: all@example.com",
		"Crane <crane@example.com>", "crane@example.com, heron@example.com", "\"a\r\nb\"@example.com",
		strings.Repeat("a", 250) + "@example.com",
	}) {
		if a := s.postJSON(t, forgotPath, map[string]string{"email": email}); a.Status != http.StatusBadRequest {
			wantProblem(t, a, http.StatusUnprocessableEntity, forgotPath, "the request breaks a rule", field("email", emailRule))
		}
	}
}

// TestAKnownAddressWaitsForNothing has a mail server that does not answer; the service does.
func TestAKnownAddressWaitsForNothing(t *testing.T) {
	t.Parallel()
	sender := &stuck{release: make(chan struct{})}
	s := start(t, setup{sender: sender})
	s.person(t)
	for range 3 {
		s.forgot(t, "crane@example.com")
	}
	if n := sender.sent.Load(); n != 0 {
		t.Errorf("%d mails sent", n)
	}
	close(sender.release)
}

// stuck sends nothing until it is released.
type stuck struct {
	release chan struct{}
	sent    atomic.Int32
}

func (s *stuck) Send(context.Context, mail.Mail) error {
	<-s.release
	s.sent.Add(1)
	return errors.New("too late")
}

func TestMailsToOneAddressAreFew(t *testing.T) {
	t.Parallel()
	s, box, clock := startWithMailAndClock(t)
	for range 5 {
		s.forgot(t, "crane@example.com")
	}
	waittest.Until(t, "two are skipped", func() bool { return strings.Count(s.logs.String(), `"throttled"`) == 2 })
	await(t, box, 4) // one of registration, three for the password
	clock.advance(time.Hour)
	s.forgot(t, "Crane@example.com")
	await(t, box, 5)
	wantNoContent(t, "the last", s.reset(t, tokenOf(t, box.All()[0], "/reset"), newPassword))
}

func TestAskingForMailsIsThrottledByAddress(t *testing.T) {
	t.Parallel()
	box, sender := newBox(t)
	limits := throttle.Default()
	limits.RegisterFree = 2
	s := start(t, setup{sender: sender, limits: limits, now: newClock().now})
	for i, want := range []int{http.StatusAccepted, http.StatusAccepted, http.StatusTooManyRequests} {
		a := s.postJSON(t, forgotPath, map[string]string{"email": fmt.Sprintf("n%d@example.com", i)}, withKey("192.0.2.1")...)
		wantStatus(t, "forgot", a, want)
	}
	s.person(t)
	access := s.signIn(t)
	change := append([]string{"Authorization", "Bearer " + access}, withKey("192.0.2.1")...)
	in := map[string]string{"email": "n@example.com", "password": password}
	wantStatus(t, "a new address", s.postJSON(t, emailPath, in, change...), http.StatusTooManyRequests)
	a := s.postJSON(t, forgotPath, map[string]string{"email": "n@example.com"}, withKey("192.0.2.2")...)
	wantStatus(t, "from elsewhere", a, http.StatusAccepted)
	equal(t, "the only mail", await(t, box, 1).To, []string{"Crane@Example.com"})
}

// TestWithoutMail is an installation that sends none.
func TestWithoutMail(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	for path, a := range map[string]answer{
		forgotPath:       s.postJSON(t, forgotPath, map[string]string{"email": "nobody@example.com"}),
		emailPath:        s.changeEmail(t, access, "heron@example.com", password),
		verificationPath: s.request(t, http.MethodPost, verificationPath, "", "Authorization", "Bearer "+access),
	} {
		wantProblem(t, a, http.StatusServiceUnavailable, path, "this installation sends no mail")
	}
}

func TestAnAdminSendsAReset(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	s.register(t, "Admin", "admin@example.com", password)
	await(t, box, 2)
	s.exec(t, `UPDATE auth.users SET role = 'admin' WHERE username = 'Admin'`)
	admin := read[tokens](t, s.login(t, "Admin", password)).Access
	send := func(access, id string) answer {
		return s.request(t, http.MethodPost, usersPath+"/"+id+"/reset", "", "Authorization", "Bearer "+access)
	}
	wantStatus(t, "by another", send(s.signIn(t), "1"), http.StatusForbidden)
	wantStatus(t, "to nobody", send(admin, "404"), http.StatusNotFound)
	a := send(admin, "1")
	wantStatus(t, "by the admin", a, http.StatusAccepted)
	equal(t, "body", a.Body, `{"message":"a mail with a link is on its way"}`)
	got := await(t, box, 3)
	equal(t, "recipient", got.To, []string{"Crane@Example.com"})
	wantNoContent(t, "reset", s.reset(t, tokenOf(t, got, "/reset"), newPassword))
	s.wantLog(t, `"msg":"password reset sent by an admin","service":"auth","user_id":1,"by":2`)
	s.exec(t, `UPDATE auth.users SET disabled_at = now() WHERE id = 1`)
	wantStatus(t, "to one who is disabled", send(admin, "1"), http.StatusNotFound)
}

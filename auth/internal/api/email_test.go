package api_test

import (
	"net/http"
	"strings"
	"testing"

	"craftista/auth/internal/throttle"
	"craftista/shared/waittest"
)

func TestRegistrationSendsAMailThatProvesTheAddress(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	got := box.All()[0]
	equal(t, "recipient", got.To, []string{"Crane@Example.com"})
	equal(t, "subject", got.Subject, "Confirm your e-mail address")
	access := s.signIn(t)
	again := func() answer {
		return s.request(t, http.MethodPost, verificationPath, "", "Authorization", "Bearer "+access)
	}
	a := again()
	wantStatus(t, "again", a, http.StatusAccepted)
	equal(t, "body", a.Body, `{"message":"a mail with a link is on its way"}`)
	second := tokenOf(t, await(t, box, 2), "/confirm")
	wantBadToken(t, confirmPath, s.confirm(t, tokenOf(t, got, "/confirm")))
	wantBadToken(t, resetPath, s.reset(t, second, newPassword))
	wantNoContent(t, "a change between", s.changePassword(t, access, password, newPassword))
	await(t, box, 3)
	wantNoContent(t, "confirm", s.confirm(t, second))
	wantBadToken(t, confirmPath, s.confirm(t, second))
	if me := s.getAs(t, access, mePath); !strings.Contains(me.Body, `"email_verified":true`) {
		t.Errorf("not confirmed: %s", me.Body)
	}
	wantProblem(t, again(), http.StatusConflict, verificationPath, "the e-mail address is confirmed already")
	s.wantLog(t, `"msg":"e-mail confirmed","service":"auth","user_id":1`)
	s.logsNothingOf(t, second, "xample.com")
}

func TestAnAddressChangesWhenTheNewOneIsConfirmed(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	access := s.signIn(t)
	a := s.changeEmail(t, access, "Heron@example.com", password)
	wantStatus(t, "change", a, http.StatusAccepted)
	equal(t, "body", a.Body, `{"message":"a mail with a link is on its way to the new address"}`)
	await(t, box, 3)
	told := newest(box, "Your e-mail address is about to change")
	equal(t, "who is told", told.To, []string{"Crane@Example.com"})
	if strings.Contains(told.Text, "token=") {
		t.Errorf("the old address gets the link:\n%s", told.Text)
	}
	link := newest(box, "Confirm your new e-mail address")
	equal(t, "who gets the link", link.To, []string{"Heron@example.com"})
	wantStatus(t, "before", s.login(t, "heron@example.com", password), http.StatusUnauthorized)

	s.register(t, "Heron", "heron@EXAMPLE.com", password)
	wantProblem(t, s.confirm(t, tokenOf(t, link, "/confirm")), http.StatusConflict, confirmPath,
		"the e-mail address is taken")
	s.exec(t, `UPDATE auth.users SET email = 'other@example.com' WHERE username = 'Heron'`)
	wantNoContent(t, "confirm", s.confirm(t, tokenOf(t, link, "/confirm")))
	wantStatus(t, "the new address", s.login(t, "heron@example.com", password), http.StatusOK)
	wantStatus(t, "the old one", s.login(t, "crane@example.com", password), http.StatusUnauthorized)
	me := s.getAs(t, access, mePath)
	if !strings.Contains(me.Body, `"email":"Heron@example.com","email_verified":true`) {
		t.Errorf("the person is %s", me.Body)
	}
}

func TestEmailChangeRefuses(t *testing.T) {
	t.Parallel()
	s, box := startWithMail(t)
	access := s.signIn(t)
	for name, row := range map[string][4]string{
		"a wrong password": {"heron@example.com", newPassword, "password", "is wrong"},
		"no password":      {"heron@example.com", "", "password", "is wrong"},
		"no address":       {"heron", password, "email", emailRule},
		"two headers":      {"heron@example.com\r\nBcc: all@example.com", password, "email", emailRule},
		"the same address": {"crane@EXAMPLE.com", password, "email", "is your address already"},
	} {
		t.Run(name, func(t *testing.T) {
			wantProblem(t, s.changeEmail(t, access, row[0], row[1]), http.StatusUnprocessableEntity, emailPath,
				"the request breaks a rule", field(row[2], row[3]))
		})
	}
	s.register(t, "Heron", "heron@example.com", password)
	await(t, box, 2)
	wantStatus(t, "an address that somebody has", s.changeEmail(t, access, "HERON@example.com", password),
		http.StatusAccepted)
	waittest.Until(t, "it is skipped", func() bool { return strings.Contains(s.logs.String(), `"outcome":"taken"`) })
	equal(t, "who is told", await(t, box, 3).To, []string{"Crane@Example.com"})
}

// TestEmailChangeIsThrottled as guesses at the password are.
func TestEmailChangeIsThrottled(t *testing.T) {
	t.Parallel()
	s := start(t, setup{limits: throttle.Default(), now: newClock().now})
	s.person(t)
	access := s.signIn(t)
	for range throttle.Default().PairFree {
		wantStatus(t, "a guess", s.changeEmail(t, access, "h@example.com", "guess"), http.StatusUnprocessableEntity)
	}
	wantStatus(t, "the right one", s.changeEmail(t, access, "h@example.com", password), http.StatusTooManyRequests)
	wantStatus(t, "a password", s.changePassword(t, access, password, newPassword), http.StatusTooManyRequests)
}

// TestUnicodeAddressesGetMail by SMTPUTF8, with the address as it was typed.
func TestUnicodeAddressesGetMail(t *testing.T) {
	t.Parallel()
	box, sender := newBox(t)
	s := start(t, setup{sender: sender})
	for i, address := range []string{"журавль@пример.рф", "o'neill+craft@example.com", "鶴@example.com"} {
		wantStatus(t, address, s.register(t, "Crane"+string(rune('a'+i)), address, password), http.StatusOK)
		equal(t, "recipient", await(t, box, i+1).To, []string{address})
	}
}

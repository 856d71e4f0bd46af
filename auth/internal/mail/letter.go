package mail

import (
	"context"
	"net/url"
	"strings"
)

// letter is what a mail says, in both of its forms: paragraphs, a link in their midst, and what comes after it.
type letter struct {
	To, Subject string
	Before      []string
	Action, URL string // of the link; "" for none
	After       []string
}

// notYou ends what somebody else may have asked for.
const notYou = "If it was not you who asked for this, ignore this mail: nothing changes without the link."

// Reset brings the token to choose a new password with.
func (q *Queue) Reset(to, username, token string) Mail {
	return letter{
		To: to, Subject: "Choose a new password",
		Before: []string{
			"Hello " + username + ",",
			"you can choose a new password for your Craftista account. You will be signed out on all devices.",
		},
		Action: "Choose a new password", URL: q.link("/reset", token),
		After: []string{"The link works once, for one hour.", notYou},
	}.mail()
}

// Verify brings the token that proves the address.
func (q *Queue) Verify(to, username, token string) Mail {
	return letter{
		To: to, Subject: "Confirm your e-mail address",
		Before: []string{"Hello " + username + ",", "please confirm that this is the address of your Craftista account."},
		Action: "Confirm this address", URL: q.link("/confirm", token),
		After: []string{"The link works once, for one hour. You can request a new one on your account page.", notYou},
	}.mail()
}

// Change brings the token that makes the address the account's.
func (q *Queue) Change(to, username, token string) Mail {
	return letter{
		To: to, Subject: "Confirm your new e-mail address",
		Before: []string{"Hello " + username + ",", "please confirm that your Craftista account gets this address."},
		Action: "Use this address", URL: q.link("/confirm", token),
		After: []string{"The link works once, for one hour. Until then the account keeps the address that it has.", notYou},
	}.mail()
}

// Changing tells the address that an account still has.
func (q *Queue) Changing(to, username string) Mail {
	return letter{
		To: to, Subject: "Your e-mail address is about to change",
		Before: []string{
			"Hello " + username + ",",
			"somebody who knows your password asked for another e-mail address for your Craftista account. " +
				"It takes effect once that address is confirmed.",
			"If it was not you, change your password now: that stops it.",
		},
		Action: "Your account", URL: q.Site + "/account",
	}.mail()
}

// Changed tells of a password that was changed.
func (q *Queue) Changed(to, username string) Mail {
	return letter{
		To: to, Subject: "Your password was changed",
		Before: []string{
			"Hello " + username + ",", "the password of your Craftista account was changed just now.",
			"If it was not you, choose a new one:",
		},
		Action: "Choose a new password", URL: q.Site + "/forgot",
	}.mail()
}

func (q *Queue) link(path, token string) string {
	return q.Site + path + "?" + url.Values{"token": {token}}.Encode()
}

// mail renders both forms.
func (l letter) mail() Mail {
	var html strings.Builder
	_ = letterPage(l).Render(context.Background(), &html) // a Builder has no errors
	paragraphs := append([]string{}, l.Before...)
	if l.URL != "" {
		paragraphs = append(paragraphs, l.Action+":\n"+l.URL)
	}
	paragraphs = append(append(paragraphs, l.After...), "Craftista, an origami gallery")
	return Mail{To: l.To, Subject: l.Subject, Text: strings.Join(paragraphs, "\n\n") + "\n", HTML: html.String()}
}

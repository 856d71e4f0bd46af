package account

import (
	_ "embed"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"craftista/shared/fault"

	"golang.org/x/text/unicode/norm"
)

// commonest are the passwords of 10 characters or more among the 10,000 commonest,
// one a line; a shorter one fails the length rule anyway. The file's source and
// licence are in the NOTICE of this module.
//
//go:embed common.txt
var commonest string

// The lengths of a password, in characters: Unicode code points after NFC.
const (
	minPassword = 10
	maxPassword = 128
)

// Registration is what a person asks to be registered with.
type Registration struct{ Username, Email, Password string }

// check is nil if all three fields follow their rules, else an Invalid fault with
// every field that does not.
func (r Registration) check() error {
	var c fault.Checks
	c.Require(validUsername(r.Username), "username",
		"must be 3 to 32 letters (a to z), digits, dots, dashes or underscores")
	c.Require(validEmail(r.Email), "email", "does not look like an e-mail address")
	flaw := r.passwordFlaw()
	c.Require(flaw == "", "password", flaw)
	return c.Err()
}

func validUsername(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"
	return len(s) >= 3 && len(s) <= 32 && strings.Trim(s, letters) == ""
}

// validEmail checks:
//   - the length, at most 254 bytes (RFC 5321 section 4.5.3.1.3, without the
//     angle brackets)
//   - the syntax of one address (RFC 5322 section 3.4.1, RFC 6532)
//   - that there is nothing but the address: no name, comment, quotes or spaces
//   - that every character is visible: no control or formatting characters
func validEmail(s string) bool {
	if len(s) > 254 || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return false
	}
	parsed, err := mail.ParseAddress(s)
	return err == nil && parsed.Address == s
}

// passwordFlaw is the first rule that the password breaks, "" if none. It checks,
// after NIST SP 800-63B section 5.1.1.2:
//   - the length, for which each code point is one character
//   - that it is not the username or the e-mail address, regardless of case
//   - that it is not one of the 10,000 commonest, regardless of case
//
// Nothing is asked of its composition.
func (r Registration) passwordFlaw() string {
	password := norm.NFC.String(r.Password)
	length := utf8.RuneCountInString(password)
	switch {
	case length < minPassword || length > maxPassword:
		return "must be 10 to 128 characters long"
	case strings.EqualFold(password, r.Username), strings.EqualFold(password, norm.NFC.String(r.Email)):
		return "must not be the username or the e-mail address"
	case common(password):
		return "is one of the 10,000 most common passwords"
	default:
		return ""
	}
}

func common(password string) bool {
	for line := range strings.SplitSeq(commonest, "\n") {
		if strings.EqualFold(line, password) {
			return true
		}
	}
	return false
}

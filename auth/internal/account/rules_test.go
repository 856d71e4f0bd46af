package account

import (
	"strings"
	"testing"
)

func TestCommonestAreAllThatCouldPassTheLengthRule(t *testing.T) {
	t.Parallel()
	lines := strings.Fields(commonest)
	if len(lines) != 145 {
		t.Errorf("%d passwords, want 145", len(lines))
	}
	for _, p := range lines {
		if flaw := (Registration{Password: p}).passwordFlaw(); flaw != "is one of the 10,000 most common passwords" {
			t.Errorf("%q: flaw %q", p, flaw)
		}
	}
	if flaw := (Registration{Username: "crane", Email: "a@b", Password: "\n"}).passwordFlaw(); flaw == "" {
		t.Error("a line end is a password")
	}
}

func TestPasswordsAreCountedInCharacters(t *testing.T) {
	t.Parallel()
	const tooFew = "must be 10 to 128 characters long"
	for password, want := range map[string]string{
		"ninebytes":                      tooFew,
		"ten bytes.":                     "",
		strings.Repeat("折", 9):           tooFew,
		strings.Repeat("折", 10):          "",
		strings.Repeat("🕊", 128):         "",
		strings.Repeat("🕊", 129):         tooFew,
		strings.Repeat("e\u0301", 9):     tooFew, // 18 code points, of which NFC makes 9
		strings.Repeat("e\u0301", 128):   "",
		strings.Repeat("\x00", 10):       "",
		"cr\u00e8me.br\u00fbl\u00e9e":    "must not be the username or the e-mail address",
		"cre\u0300me.bru\u0302le\u0301e": "must not be the username or the e-mail address",
	} {
		r := Registration{Username: "dessert", Email: "Cr\u00e8me.br\u00fbl\u00e9e", Password: password}
		if got := r.passwordFlaw(); got != want {
			t.Errorf("%q: flaw %q, want %q", password, got, want)
		}
	}
}

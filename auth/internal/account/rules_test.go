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
		if flaw := (Registration{Password: p}).passwordFlaw(); flaw != "must not be one of the 10,000 commonest passwords" {
			t.Errorf("%q: flaw %q", p, flaw)
		}
	}
	if flaw := (Registration{Username: "crane", Email: "a@b", Password: "\n"}).passwordFlaw(); flaw == "" {
		t.Error("a line end is a password")
	}
}

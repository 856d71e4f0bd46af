package fault_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"craftista/shared/fault"

	"github.com/google/go-cmp/cmp"
)

func TestKindSurvivesWrapping(t *testing.T) {
	t.Parallel()
	err := fmt.Errorf("read product: %w", fault.New(fault.NotFound, "no origami %d", 7))
	if got, want := fault.KindOf(err), fault.NotFound; got != want {
		t.Errorf("kind %v, want %v", got, want)
	}
	if got, want := fault.KindOf(io.EOF), fault.Internal; got != want {
		t.Errorf("kind of a plain error %v, want %v", got, want)
	}
}

func TestTypedTextIsForTheCallerOnly(t *testing.T) {
	t.Parallel()
	plain := fault.New(fault.BadRequest, "the body has the unknown field")
	for typed, want := range map[string]string{
		"hunter2": `"hunter2"`, "": `""`, "\n\xff": `"\n"`, strings.Repeat("é", 40): `"` + strings.Repeat("é", 32) + `"`,
		"a" + strings.Repeat("é", 40): `"a` + strings.Repeat("é", 31) + `"`,
	} {
		quoted := plain.Quoting(typed).Because(io.ErrUnexpectedEOF)
		if got := quoted.Message; got != "the body has the unknown field "+want {
			t.Errorf("message %q, want %s at its end", got, want)
		}
		if got := quoted.Error(); got != "the body has the unknown field: unexpected EOF" {
			t.Errorf("log text %q", got)
		}
	}
	if plain.Message != plain.Error() {
		t.Error("Quoting changed its receiver")
	}
}

func TestCauseIsForTheLogOnly(t *testing.T) {
	t.Parallel()
	plain := fault.New(fault.Unavailable, "the catalogue is unavailable")
	caused := plain.Because(io.ErrUnexpectedEOF)
	if got, want := caused.Message, "the catalogue is unavailable"; got != want {
		t.Errorf("message %q, want %q", got, want)
	}
	if got, want := caused.Error(), "the catalogue is unavailable: unexpected EOF"; got != want {
		t.Errorf("log text %q, want %q", got, want)
	}
	if !errors.Is(caused, io.ErrUnexpectedEOF) {
		t.Error("the cause is missing")
	}
	if errors.Is(plain, io.ErrUnexpectedEOF) {
		t.Error("Because changed its receiver")
	}
}

func TestChecksReportEveryBrokenRule(t *testing.T) {
	t.Parallel()
	var none fault.Checks
	none.Require(true, "username", "is required")
	if err := none.Err(); err != nil {
		t.Errorf("no rule broken, got %v", err)
	}

	var some fault.Checks
	some.Require(false, "username", "is required")
	some.Require(true, "email", "is required")
	some.Require(false, "password", "is too short")
	var f *fault.Error
	if !errors.As(some.Err(), &f) {
		t.Fatalf("got %v, want a fault", some.Err())
	}
	want := []fault.Field{{Field: "username", Message: "is required"}, {Field: "password", Message: "is too short"}}
	if diff := cmp.Diff(want, f.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if f.Kind != fault.Invalid {
		t.Errorf("kind %v, want Invalid", f.Kind)
	}
	if got, want := f.Error(), "the request breaks a rule; username is required; password is too short"; got != want {
		t.Errorf("log text %q, want %q", got, want)
	}
}

func TestBrokenIsOneField(t *testing.T) {
	t.Parallel()
	f, ok := errors.AsType[*fault.Error](fault.Broken("image", "is over %d bytes", 3))
	if !ok || f.Kind != fault.Invalid {
		t.Fatalf("got %v, want an Invalid fault", f)
	}
	if diff := cmp.Diff([]fault.Field{{Field: "image", Message: "is over 3 bytes"}}, f.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

package local

import (
	"io"
	"strings"
	"testing"

	"craftista/db"
	"craftista/db/pgtest"
)

func TestParseFill(t *testing.T) {
	t.Parallel()
	want := db.Amounts{Products: 1_000_000, Votes: 10_000_000}
	if got, err := ParseFill("products=1000000,votes=10000000"); err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, text := range []string{
		"", "products", "products=", "products=1,votes=many", "pieces=1,votes=2", "products=1,products=2",
		"products=1;votes=2", "products=1,votes=2,", "products=99999999999999999999,votes=1",
	} {
		got, err := ParseFill(text)
		if err == nil || !strings.Contains(err.Error(), "-fill products=1000000,votes=10000000") {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Data, c.DatabaseURL = t.TempDir(), pgtest.NewSeeded(t).AdminURL
	c.Passwords = pgtest.Passwords() // other tests sign in with them
	for _, times := range []string{"first", "second"} {
		var out strings.Builder
		err := Fill(t.Context(), c, db.Amounts{Products: 50, Votes: 5000}, &out)
		if err != nil || !strings.HasSuffix(out.String(), "… 100 %, 50 products, 5000 votes\n") {
			t.Errorf("%s time: %v, printed %q", times, err, out.String())
		}
	}
	err := Fill(t.Context(), c, db.Amounts{Products: 1, Votes: 1001}, io.Discard)
	if err == nil || err.Error() != "fill the database: votes must be between 0 and 1000 for each product" {
		t.Errorf("too many votes: %v", err)
	}
}

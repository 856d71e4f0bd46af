package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"craftista/db"
	"craftista/db/pgtest"

	"github.com/google/go-cmp/cmp"
)

func TestParseFill(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]db.Amounts{
		"products=1000000,votes=10000000": {Products: 1_000_000, Votes: 10_000_000},
		"votes=1,products=2":              {Products: 2, Votes: 1},
		"products=7":                      {Products: 7},
	} {
		if got, err := ParseFill(text); err != nil || got != want {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "products", "products=", "products=many", "pieces=1", "products=1,products=2", "products=1;votes=2", "products=1,", "products=99999999999999999999"} {
		if got, err := ParseFill(text); err == nil || !strings.Contains(err.Error(), "-fill products=1000000,votes=10000000") {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

// TestFill fills a database of somebody else's and tells a file how far it is.
func TestFill(t *testing.T) {
	t.Parallel()
	d := pgtest.NewSeeded(t)
	c := Default()
	c.Data, c.DatabaseURL = t.TempDir(), d.AdminURL
	c.Passwords = db.Passwords{Auth: "test-auth", Product: "test-product", Recommendation: "test-recommendation"} // those of pgtest, which other tests sign in with
	told := func(target db.Amounts) (string, error) {
		path := filepath.Join(t.TempDir(), "out")
		out, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = out.Close() }()
		err = Fill(t.Context(), c, target, out)
		text, _ := os.ReadFile(path)
		return string(text), err
	}
	for _, times := range []string{"first", "second"} {
		text, err := told(db.Amounts{Products: 50, Votes: 5000})
		if err != nil || !strings.HasSuffix(text, "There are 50 pieces and 5000 votes.\n") {
			t.Errorf("%s time: %v, told %q", times, err, text)
		}
	}
	if _, err := told(db.Amounts{Products: 1, Votes: 1001}); err == nil || err.Error() != "fill the database: votes must be between 0 and 1000 for each product" {
		t.Errorf("too many votes: %v", err)
	}
}

func TestBar(t *testing.T) {
	t.Parallel()
	target := db.Amounts{Products: 100, Votes: 1000}
	show := func(terminal bool) string {
		var out strings.Builder
		b := bar{out: &out, terminal: terminal, target: target}
		for n := range int64(101) {
			b.show(db.Amounts{Products: n, Votes: 10 * n})
		}
		return out.String()
	}
	lines := strings.Split(strings.TrimSuffix(show(false), "\n"), "\n")
	if diff := cmp.Diff([]string{lines[0], lines[len(lines)-1]}, []string{
		"[" + strings.Repeat("░", 30) + "]   0 %  0 pieces, 0 votes",
		"[" + strings.Repeat("█", 30) + "] 100 %  100 pieces, 1000 votes",
	}); diff != "" || len(lines) != 11 {
		t.Errorf("%d lines (-got +want):\n%s", len(lines), diff)
	}
	if drawn := show(true); strings.Count(drawn, "\r\x1b[K") != 101 || strings.Contains(drawn, "\n") {
		t.Errorf("on a terminal: %q", drawn[:200])
	}
}

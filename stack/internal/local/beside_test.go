package local_test

import (
	"bytes"
	"strings"
	"testing"

	"craftista/db/pgtest"
	"craftista/stack/internal/local"
)

// TestRunBeside: the command finds both, and its failure is told.
func TestRunBeside(t *testing.T) {
	t.Parallel()
	c := local.Default()
	c.Data, c.DatabaseURL = t.TempDir(), pgtest.NewSeeded(t).AdminURL
	c.Passwords = pgtest.Passwords()
	var out bytes.Buffer
	err := local.RunBeside(t.Context(), c, &out, []string{"sh", "-c", `echo "$DATABASE_URL $REDIS_URL"; exit 7`})
	if err == nil || !strings.Contains(err.Error(), "exit status 7") {
		t.Errorf("error %v", err)
	}
	if got := out.String(); !strings.Contains(got, c.DatabaseURL+" redis://127.0.0.1:") {
		t.Errorf("output %q", got)
	}
}

package embedded_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"craftista/db/embedded"
)

// TestDownload uses a repository whose PostgreSQL is two shell scripts: a postgres that tells its version, and an
// initdb that prints "made of straw" and fails. The real one takes half a minute to unpack under the race detector.
func TestDownload(t *testing.T) {
	jar, err := os.ReadFile("testdata/straw.jar")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(jar)
	const failed = "downloading version 17 did not work: install PostgreSQL with the system's package manager"
	for name, test := range map[string]struct {
		status   int
		checksum string
		want     string // part of the error
	}{
		"used for initdb": {http.StatusOK, hex.EncodeToString(sum[:]), "ended with exit status 3: made of straw"},
		"tampered with":   {http.StatusOK, strings.Repeat("0", 64), failed},
		"not offered":     {http.StatusNotFound, "", failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir()) // the library leaves a log there
			repository := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body := jar
				if strings.HasSuffix(r.URL.Path, ".sha256") {
					body = []byte(test.checksum)
				}
				w.WriteHeader(test.status)
				if _, err := w.Write(body); err != nil {
					t.Error(err)
				}
			}))
			defer repository.Close()
			var steps []string
			c := embedded.Config{
				Dir:       folder(t),
				Ephemeral: true,
				Progress:  func(step string) { steps = append(steps, step) },
			}
			s, err := embedded.Start(t.Context(), c.From(repository.URL, folder(t)))
			if err == nil {
				stop(t, s)
				t.Fatal("got a server made of straw")
			}
			if !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %q, want it to contain %q", err, test.want)
			}
			if diff := cmp.Diff(steps, []string{"downloading PostgreSQL 17 (about 30 MB), once"}); diff != "" {
				t.Errorf("progress (-got +want):\n%s", diff)
			}
		})
	}
}

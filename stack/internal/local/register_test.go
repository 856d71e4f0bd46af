package local_test

import (
	"net/http"
	"os"
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"
)

// A script finds the internal API key in a file that only its owner reads, whether it was set or made.
func TestScriptsRegisterPeople(t *testing.T) {
	t.Parallel()
	const own = "a-key-of-ones-own-36c1"
	for name, key := range map[string]string{"made": "", "set": own} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := stacktest.Start(t, func(c *local.Config) { c.InternalAPIKey = key })
			info, err := os.Stat(s.KeyFile)
			if err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(s.KeyFile)
			if err != nil || info.Mode() != 0o600 || key != "" && string(text) != key {
				t.Errorf("mode %v, %d bytes, %v", info.Mode(), len(text), err)
			}
			for key, want := range map[string]int{string(text): http.StatusOK, "guessed": http.StatusUnauthorized} {
				if got := register(t, s.URLs["auth"], key); got != want {
					t.Errorf("registering answers %d, want %d", got, want)
				}
			}
		})
	}
}

// register is the status that a script gets.
func register(t *testing.T, auth, key string) int {
	t.Helper()
	const person = `{"username": "ada", "email": "ada@example.org", "password": "crease-by-crease"}`
	body := strings.NewReader(person)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, auth+"/api/auth/register", body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Internal-API-Key", key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	return res.StatusCode
}

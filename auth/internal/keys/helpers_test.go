package keys_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/keys"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

const (
	retention  = 16 * time.Minute // how long keys stay published here after they signed
	activation = 20 * time.Minute
	interval   = 2 * time.Second
)

func equal[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}

// wantError checks the end of the error's text.
func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil || !strings.HasSuffix(err.Error(), want) {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// advance moves the clock of a synctest bubble, and lets the watch read the keys.
func advance(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

func directory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func openKeys(t *testing.T, dir string) *keys.Set {
	t.Helper()
	set, err := keys.Open(dir, retention)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func kids(t *testing.T, set *keys.Set) []string {
	t.Helper()
	var published struct{ Keys []struct{ Kid string } }
	if err := json.Unmarshal(set.JWKS(), &published); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, key := range published.Keys {
		all = append(all, key.Kid)
	}
	return all
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, entry := range entries {
		all = append(all, entry.Name())
	}
	return all
}

func put(t *testing.T, dir, name string, mode os.FileMode, text []byte) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

func rsaKey(t *testing.T, bits int) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return encode(t, key)
}

func encode(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// watch runs until the test of the synctest bubble ends.
func watch(t *testing.T, set *keys.Set, log *slog.Logger) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { set.Watch(ctx, interval, log) })
	t.Cleanup(func() { stop(); done.Wait() })
}

// rotate must work.
func rotate(t *testing.T, dir string) (added string, removed []string) {
	t.Helper()
	added, removed, err := keys.Rotate(dir, activation, retention)
	if err != nil {
		t.Fatal(err)
	}
	return added, removed
}

func wantStates(t *testing.T, dir string, want [][2]string) {
	t.Helper()
	all, err := keys.List(dir, retention)
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, s := range all {
		got = append(got, [2]string{s.File, s.State})
	}
	equal(t, "states", got, want)
}

func sign(t *testing.T, set *keys.Set) string {
	t.Helper()
	raw, err := set.Sign("at+jwt", jwt.RegisteredClaims{Subject: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signerOf is the kid in the token, which set must verify.
func signerOf(t *testing.T, set *keys.Set, raw string) string {
	t.Helper()
	parsed, err := jwt.Parse(raw, set.KeyfuncCtx(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := parsed.Header["kid"].(string)
	equal(t, "header", parsed.Header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": kid})
	return kid
}

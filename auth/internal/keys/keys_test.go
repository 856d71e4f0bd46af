package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/auth/internal/keys"

	"github.com/google/go-cmp/cmp"
)

// keep is how long keys stay published here after they signed.
const keep = 16 * time.Minute

func TestOpenMakesTheFirstKeyAndKeepsIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "keys")
	first := openKeys(t, dir)
	if got := len(kids(t, first)); got != 1 {
		t.Fatalf("%d keys, want 1", got)
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "key-0001.pem"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %04o, want %04o", path, got, want)
		}
	}
	if diff := cmp.Diff(names(t, dir), []string{"key-0001.pem"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(string(openKeys(t, dir).JWKS()), string(first.JWKS())); diff != "" {
		t.Errorf("JWK Set after a restart (-got +want):\n%s", diff)
	}
}

func TestOpenAtOnceMakesOneKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	got := make([]string, 8)
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() {
			<-begin
			if set, err := keys.Open(dir, keep); err != nil {
				t.Error(err)
			} else {
				got[i] = string(set.JWKS())
			}
		})
	}
	close(begin)
	wg.Wait()
	for i := range got {
		if diff := cmp.Diff(got[i], got[0]); diff != "" {
			t.Errorf("JWK Set of replica %d and of replica 0:\n%s", i, diff)
		}
	}
	if diff := cmp.Diff(names(t, dir), []string{"key-0001.pem"}); diff != "" {
		t.Errorf("files (-got +want):\n%s", diff)
	}
}

func TestOpenRefusesLoosePermissions(t *testing.T) {
	t.Parallel()
	good := rsaKey(t, 2048)
	for name, row := range map[string]struct {
		key        []byte // nil writes no file
		dir, file  os.FileMode
		atFault    string
		is, should string
	}{
		"a directory others read":  {good, 0o755, 0o600, ".", "0755", "0700"},
		"a directory others write": {good, 0o777, 0o600, ".", "0777", "0700"},
		"a directory of a group":   {good, 0o770, 0o600, ".", "0770", "0700"},
		"an empty loose directory": {nil, 0o755, 0o600, ".", "0755", "0700"},
		"a key others read":        {good, 0o700, 0o644, "key-0001.pem", "0644", "0600"},
		"a key of a group":         {good, 0o700, 0o640, "key-0001.pem", "0640", "0600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := directory(t)
			if row.key != nil {
				put(t, dir, "key-0001.pem", row.file, row.key)
			}
			if err := os.Chmod(dir, row.dir); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, row.atFault)
			want := fmt.Sprintf("open signing keys: %s has mode %s, and signing keys must be open to their owner only: chmod %s %s",
				path, row.is, row.should, path)
			if _, err := keys.Open(dir, keep); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoGoodKey(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	two := append(rsaKey(t, 2048), rsaKey(t, 2048)...)
	for name, row := range map[string]struct {
		text []byte
		want string
	}{
		"no PEM":                {[]byte("hello"), "is not one PKCS#8 private key in PEM"},
		"an empty file":         {nil, "is not one PKCS#8 private key in PEM"},
		"two keys in a file":    {two, "is not one PKCS#8 private key in PEM"},
		"a short key":           {rsaKey(t, 1024), "is not an RSA key of 2048 bits or more"},
		"a key of another kind": {encode(t, curve), "is not an RSA key of 2048 bits or more"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := directory(t)
			put(t, dir, "key-0001.pem", 0o600, row.text)
			want := "open signing keys: " + filepath.Join(dir, "key-0001.pem") + " " + row.want
			if _, err := keys.Open(dir, keep); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestOpenRefusesNamesThatDoNotSayWhenTheySign(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"key-0002.pem", "server.pem", "key-20261341T000000Z.pem", "key-20260102T150405Z.old.pem"} {
		dir := directory(t)
		put(t, dir, name, 0o600, rsaKey(t, 2048))
		put(t, dir, "README", 0o644, []byte("not a key, and open to all"))
		want := "open signing keys: " + name + " in " + dir + " has no name for a key: key-0001.pem, or key-20060102T150405Z.pem for one that signs from then on"
		if _, err := keys.Open(dir, keep); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func directory(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestOpenRefusesAFileForADirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := keys.Open(path, keep); err == nil || !strings.HasSuffix(err.Error(), "keys is not a directory") {
		t.Errorf("got %v", err)
	}
}

func openKeys(t *testing.T, dir string) *keys.Set {
	t.Helper()
	set, err := keys.Open(dir, keep)
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

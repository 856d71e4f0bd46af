package keys_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"craftista/auth/internal/keys"
)

func TestOpenMakesTheFirstKeyAndKeepsIt(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "made", "keys")
	first := openKeys(t, dir)
	equal(t, "keys", len(kids(t, first)), 1)
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "key-0001.pem"): 0o600} {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, path, info.Mode().Perm(), want)
	}
	equal(t, "files", names(t, dir), []string{"key-0001.pem"})
	equal(t, "JWK Set after a restart", string(openKeys(t, dir).JWKS()), string(first.JWKS()))
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
			if set, err := keys.Open(dir, retention); err != nil {
				t.Error(err)
			} else {
				got[i] = string(set.JWKS())
			}
		})
	}
	close(begin)
	wg.Wait()
	for i := range got {
		equal(t, "JWK Set of another replica", got[i], got[0])
	}
	equal(t, "files", names(t, dir), []string{"key-0001.pem"})
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
			_, err := keys.Open(dir, retention)
			wantError(t, err, "open signing keys: "+path+" has mode "+row.is+
				", and signing keys must be open to their owner only: chmod "+row.should+" "+path)
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
			_, err := keys.Open(dir, retention)
			wantError(t, err, "open signing keys: "+filepath.Join(dir, "key-0001.pem")+" "+row.want)
		})
	}
}

func TestOpenRefusesNamesThatDoNotSayWhenTheySign(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"key-0002.pem", "server.pem", "key-20261341T000000Z.pem", "key-20260102T150405Z.old.pem",
	} {
		dir := directory(t)
		put(t, dir, name, 0o600, rsaKey(t, 2048))
		put(t, dir, "README", 0o644, []byte("not a key, and open to all"))
		_, err := keys.Open(dir, retention)
		wantError(t, err, "open signing keys: "+name+" in "+dir+" has no name for a key: "+
			"key-0001.pem, or key-20060102T150405Z.pem for one that signs from then on")
	}
}

func TestOpenRefusesAFileForADirectory(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := keys.Open(path, retention)
	wantError(t, err, "keys is not a directory")
}

// TestWatchKeepsTheKeysItCannotReplace puts a key that others can read beside the
// good one, and then mends it.
func TestWatchKeepsTheKeysItCannotReplace(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		set := openKeys(t, dir)
		before := string(set.JWKS())
		logged := &bytes.Buffer{}
		watch(t, set, slog.New(slog.NewTextHandler(logged, nil)))
		put(t, dir, "key-20000101T000000Z.pem", 0o644, rsaKey(t, 2048))
		advance(10 * interval)
		equal(t, "JWK Set", string(set.JWKS()), before)
		if err := os.Chmod(filepath.Join(dir, "key-20000101T000000Z.pem"), 0o600); err != nil {
			t.Fatal(err)
		}
		advance(interval)
		equal(t, "keys once it is mended", len(kids(t, set)), 2)
		text := logged.String() // the watch writes no more
		equal(t, "errors logged", strings.Count(text, "signing keys cannot be read"), 1)
		equal(t, "errors that name the mode", strings.Count(text, "has mode 0644"), 1)
		equal(t, "changes logged", strings.Count(text, "signing keys changed"), 1)
	})
}

package keys_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/keys"
	"craftista/shared/fault"

	"github.com/golang-jwt/jwt/v5"
)

func TestTheFirstKeyIsMadeAndKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		first := replica(t, store)
		equal(t, "keys", len(kids(t, first)), 1)
		equal(t, "in the store", len(store.all), 1)
		equal(t, "JWK Set after a restart", jwks(t, replica(t, store)), jwks(t, first))
	})
}

func TestReplicasThatStartAtOnceMakeOneKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		sets := make(chan *keys.Set, 8)
		for range 8 {
			set := openKeys(t, store)
			watch(t, set, &bytes.Buffer{})
			sets <- set
		}
		want := jwks(t, replica(t, store))
		for range 8 {
			equal(t, "JWK Set of another replica", jwks(t, <-sets), want)
		}
		equal(t, "in the store", len(store.all), 1)
	})
}

// TestUntilTheKeysAreReadNothingIsSigned nor published, and no token is called bad.
func TestUntilTheKeysAreReadNothingIsSigned(t *testing.T) {
	t.Parallel()
	set := openKeys(t, &memory{})
	_, signing := set.Sign("at+jwt", jwt.RegisteredClaims{})
	_, publishing := set.JWKS()
	_, verifying := set.KeyfuncCtx(t.Context())(nil)
	for _, err := range []error{set.Ready(t.Context()), signing, publishing, verifying} {
		equal(t, "kind of the error", fault.KindOf(err), fault.Unavailable)
	}
}

// TestTheStoreLearnsNothing of a key, and cannot put another in its place.
func TestTheStoreLearnsNothing(t *testing.T) {
	t.Parallel()
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good, short := rsaKey(t, 2048), rsaKey(t, 1024)
	const sealed, noKey = "was sealed with another KEYS_SECRET, or changed since", "is not an RSA key of 2048 bits or more"
	for name, row := range map[string]struct {
		bytes []byte
		want  string
	}{
		"nothing":               {nil, sealed},
		"in the clear":          {encode(t, good), sealed},
		"by another secret":     {seal(t, "another", start, encode(t, good)), sealed},
		"moved to another time": {seal(t, secret, start.Add(time.Second), encode(t, good)), sealed},
		"no key":                {seal(t, secret, start, []byte("hello")), "asn1: structure error"},
		"a short key":           {seal(t, secret, start, encode(t, short)), noKey},
		"a key of another kind": {seal(t, secret, start, encode(t, curve)), noKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := &memory{all: []keys.Sealed{{From: start, Bytes: row.bytes}}}
			_, err := openKeys(t, store).List(t.Context())
			if err == nil || !strings.Contains(err.Error(), row.want) ||
				!strings.HasPrefix(err.Error(), "list signing keys: the key of 1970-01-01T00:00:00Z ") {
				t.Errorf("got %v, want %s", err, row.want)
			}
		})
	}
	store := &memory{all: []keys.Sealed{{From: start, Bytes: seal(t, secret, start, encode(t, good))}}}
	if _, err := openKeys(t, store).List(t.Context()); err != nil {
		t.Errorf("a good key: %v", err)
	}
}

// TestWatchKeepsTheKeysItCannotReplace puts a key of another secret beside the good one, and then mends it.
func TestWatchKeepsTheKeysItCannotReplace(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, logged := &memory{}, &bytes.Buffer{}
		set := openKeys(t, store)
		watch(t, set, logged)
		before, from := jwks(t, set), start.Add(time.Hour)
		der := encode(t, rsaKey(t, 2048))
		for step, with := range []string{"another", secret} {
			if err := store.RemoveSigningKey(t.Context(), from); err != nil {
				t.Fatal(err)
			}
			if _, err := store.AddSigningKey(t.Context(), keys.Sealed{From: from, Bytes: seal(t, with, from, der)}); err != nil {
				t.Fatal(err)
			}
			advance(10 * interval)
			equal(t, "the keys stay", jwks(t, set) == before, step == 0)
		}
		text := logged.String() // the watch waits
		equal(t, "errors logged", strings.Count(text, "signing keys cannot be read"), 1)
		equal(t, "changes logged", strings.Count(text, "signing keys changed"), 2)
	})
}

func seal(t *testing.T, secret string, from time.Time, der []byte) []byte {
	t.Helper()
	key, err := hkdf.Key(sha256.New, []byte(secret), nil, "craftista signing keys 1", 32)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(nil, nil, der, []byte(from.Format(time.RFC3339)))
}

func rsaKey(t *testing.T, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func encode(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// atOnce runs work eight times.
func atOnce(work func()) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(work)
	}
	wg.Wait()
}

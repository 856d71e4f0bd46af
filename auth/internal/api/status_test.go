package api_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
	"testing"

	"craftista/shared/token/tokentest"
)

const statusPath = "/api/auth/status"

func TestStatusNamesThePerson(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.signIn(t)
	for _, scheme := range []string{"Bearer ", "bearer "} {
		a := s.get(t, statusPath, "Authorization", scheme+raw)
		wantStatus(t, scheme, a, http.StatusOK)
		want := `{"authenticated":true,"message":"signed in","user":{"id":1,"username":"Crane","role":"user"}}`
		equal(t, "body", a.Body, want)
		equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "private, no-cache")
		equal(t, "Vary", a.Header.Get("Vary"), "Authorization")
	}
}

func TestStatusAnswersWhoeverAsks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for message, headers := range map[string][][]string{
		"nobody is signed in":               {nil},
		"only bearer tokens are known here": {{"Authorization", "Basic Y3JhbmU6cGFwZXI="}},
		"the token is not valid":            {{"Authorization", "Bearer"}, {"Authorization", `Bearer <script>"\u0000`}},
	} {
		for _, header := range headers {
			a := s.get(t, statusPath, header...)
			wantStatus(t, message, a, http.StatusOK)
			equal(t, "body", a.Body, `{"authenticated":false,"message":"`+message+`"}`)
		}
	}
}

// TestStatusBelievesNoBadToken forges tokens with the service's own key and kid,
// each bad in one way.
func TestStatusBelievesNoBadToken(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.logout(t, s.tokens(t).Refresh) // the sign-in that the forger says is revoked
	forger := tokentest.New(t)
	forger.URL, forger.Kid, forger.Key = s.URL, s.kids(t)[0], s.signingKey(t)
	good := s.getAs(t, forger.Mint(1, "user"), statusPath)
	if !read[statusReply](t, good).Authenticated {
		t.Fatalf("the forger's good token is refused, so the bad ones prove nothing: %s", good.Body)
	}
	for _, bad := range forger.Bads() {
		t.Run(bad.Name, func(t *testing.T) {
			t.Parallel()
			if bad.Name == "too long" { // its NULs cannot stand in a header
				bad.Token = forger.Mint(1, "user") + strings.Repeat("A", 9000)
			}
			a := s.getAs(t, bad.Token, statusPath)
			got := read[statusReply](t, a)
			wantStatus(t, "status", a, http.StatusOK)
			equal(t, "reply", got, statusReply{Message: got.Message})
			if got.Message == "" {
				t.Error("no message")
			}
		})
	}
}

// signingKey opens the only one.
func (s *service) signingKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	var sealed []byte
	if err := s.admin.Get(&sealed, `SELECT sealed FROM auth.signing_keys`); err != nil {
		t.Fatal(err)
	}
	secret, hkdfErr := hkdf.Key(sha256.New, []byte(keysSecret), nil, "craftista signing keys 1", 32)
	block, aesErr := aes.NewCipher(secret)
	aead, gcmErr := cipher.NewGCMWithRandomNonce(block)
	if err := errors.Join(hkdfErr, aesErr, gcmErr); err != nil {
		t.Fatal(err)
	}
	der, err := aead.Open(nil, nil, sealed, []byte("1970-01-01T00:00:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return key.(*rsa.PrivateKey)
}

type statusReply struct {
	Authenticated bool           `json:"authenticated"`
	Message       string         `json:"message"`
	User          map[string]any `json:"user"`
}

package api_test

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
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
	keyDir := filepath.Join(t.TempDir(), "keys")
	s := start(t, setup{keyDir: keyDir})
	s.person(t)
	s.logout(t, s.tokens(t).Refresh) // the sign-in that the forger says is revoked
	forger := tokentest.New(t)
	forger.URL, forger.Kid, forger.Key = s.URL, s.kids(t)[0], readKey(t, keyDir)
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

func readKey(t *testing.T, dir string) *rsa.PrivateKey {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "key-0001.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
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

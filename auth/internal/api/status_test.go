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

	"github.com/google/go-cmp/cmp"
)

const statusPath = "/api/auth/status"

func TestStatusNamesThePerson(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.signIn(t)
	for name, header := range map[string]string{"as written": "Bearer " + raw, "in lower case": "bearer " + raw} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.get(t, statusPath, "Authorization", header)
			want := `{"authenticated":true,"message":"signed in","user":{"id":1,"username":"Crane","role":"user"}}`
			if diff := cmp.Diff(a.Body, want); a.Status != http.StatusOK || diff != "" {
				t.Errorf("status %d, body (-got +want):\n%s", a.Status, diff)
			}
			for header, want := range map[string]string{"Cache-Control": "private, no-cache", "Vary": "Authorization"} {
				if got := a.Header.Get(header); got != want {
					t.Errorf("%s %q, want %q", header, got, want)
				}
			}
		})
	}
}

func TestStatusAnswersWhoeverAsks(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, row := range map[string]struct{ authorization, want string }{
		"no header":      {"", `{"authenticated":false,"message":"nobody is signed in"}`},
		"another scheme": {"Basic Y3JhbmU6cGFwZXI=", `{"authenticated":false,"message":"only bearer tokens are known here"}`},
		"no token":       {"Bearer", `{"authenticated":false,"message":"the token is not valid"}`},
		"hostile text":   {`Bearer <script>"\u0000`, `{"authenticated":false,"message":"the token is not valid"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var headers []string
			if row.authorization != "" {
				headers = []string{"Authorization", row.authorization}
			}
			a := s.get(t, statusPath, headers...)
			if diff := cmp.Diff(a.Body, row.want); a.Status != http.StatusOK || diff != "" {
				t.Errorf("status %d, body (-got +want):\n%s", a.Status, diff)
			}
		})
	}
}

// TestStatusBelievesNoBadToken forges tokens with the service's own key and kid,
// each bad in one way.
func TestStatusBelievesNoBadToken(t *testing.T) {
	t.Parallel()
	forger := tokentest.New(t)
	dir := filepath.Join(t.TempDir(), "keys")
	s := start(t, setup{keyDir: dir, url: func(url string) {
		forger.URL = url
		writeKey(t, dir, forger.Key)
	}})
	s.person(t)
	forger.Kid, _ = claimsOf(t, s.signIn(t)).header["kid"].(string)

	good := s.get(t, statusPath, "Authorization", "Bearer "+forger.Mint(1, "user"))
	if !read[statusReply](t, good).Authenticated {
		t.Fatalf("the forger's good token is refused, so the bad ones prove nothing: %s", good.Body)
	}
	for _, bad := range forger.Bads() {
		t.Run(bad.Name, func(t *testing.T) {
			t.Parallel()
			if bad.Name == "too long" { // its NULs cannot stand in a header
				bad.Token = forger.Mint(1, "user") + strings.Repeat("A", 9000)
			}
			a := s.get(t, statusPath, "Authorization", "Bearer "+bad.Token)
			got := read[statusReply](t, a)
			if a.Status != http.StatusOK || got.Message == "" {
				t.Errorf("%d %s, want 200 with a message", a.Status, a.Body)
			}
			if diff := cmp.Diff(got, statusReply{Message: got.Message}); diff != "" {
				t.Errorf("reply (-got +want):\n%s", diff)
			}
		})
	}
}

func writeKey(t *testing.T, dir string, key *rsa.PrivateKey) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	if err := os.WriteFile(filepath.Join(dir, "key-0001.pem"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

type statusReply struct {
	Authenticated bool           `json:"authenticated"`
	Message       string         `json:"message"`
	User          map[string]any `json:"user"`
}

package api_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJWKSHasPublicHalvesOnly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.get(t, "/.well-known/jwks.json")
	set := read[map[string][]map[string]string](t, a)
	if len(set["keys"]) != 1 {
		t.Fatalf("keys: %s", a.Body)
	}
	key := set["keys"][0]
	modulus, err := base64.RawURLEncoding.DecodeString(key["n"])
	if err != nil || len(modulus) != 256 {
		t.Errorf("modulus of %d bytes (%v), want 256", len(modulus), err)
	}
	sum := sha256.Sum256([]byte(`{"e":"AQAB","kty":"RSA","n":"` + key["n"] + `"}`)) // RFC 7638 section 3.1
	want := map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "e": "AQAB", "n": key["n"], "kid": base64.RawURLEncoding.EncodeToString(sum[:]),
	}
	if diff := cmp.Diff(key, want); diff != "" {
		t.Errorf("key (-got +want):\n%s", diff)
	}
}

// TestDiscoveryIsTrue walks the document: it has the members that can be true
// today and no other, and every URL in it answers.
func TestDiscoveryIsTrue(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	got := read[map[string]any](t, s.get(t, "/.well-known/openid-configuration"))
	want := map[string]any{
		"issuer": s.URL, "jwks_uri": s.URL + "/.well-known/jwks.json",
		"subject_types_supported": []any{"public"}, "service_documentation": s.URL + "/docs",
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("document (-got +want):\n%s", diff)
	}
	for name, value := range got {
		url, _ := value.(string)
		path, ours := strings.CutPrefix(url, s.URL)
		if !ours {
			if strings.Contains(url, "://") {
				t.Errorf("%s is elsewhere: %s", name, url)
			}
			continue
		}
		if a := s.get(t, path); a.Status != http.StatusOK {
			t.Errorf("%s: GET %s answers %d", name, url, a.Status)
		}
	}
}

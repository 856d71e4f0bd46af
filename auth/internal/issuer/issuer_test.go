package issuer_test

import (
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/issuer"
	"craftista/auth/internal/keys"
	"craftista/auth/internal/session"
	"craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

func TestMintedTokensAreValidForTheirLifetime(t *testing.T) {
	t.Parallel()
	tokens := newIssuer(t)
	now := time.Now().Truncate(time.Second)
	family := session.Family{ID: 3, Person: account.Person{ID: 7, Username: "crane", Role: token.RoleCurator}}
	until := func(expires time.Time) token.User {
		return token.User{ID: 7, Name: "crane", Role: token.RoleCurator, Session: "3", Expires: expires}
	}
	for name, row := range map[string]struct {
		minted time.Time
		want   token.User
	}{
		"now":       {now, until(now.Add(time.Minute))},
		"long ago":  {now.Add(-2 * time.Minute), token.User{}},
		"to come":   {now.Add(time.Minute), token.User{}},
		"a bit ago": {now.Add(-30 * time.Second), until(now.Add(30 * time.Second))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := tokens.Mint(family, "", row.minted)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tokens.Verifier.Verify(t.Context(), raw)
			if diff := cmp.Diff(got, row.want); diff != "" {
				t.Errorf("user (-got +want), error %v:\n%s", err, diff)
			}
		})
	}
}

func newIssuer(t *testing.T) *issuer.Issuer {
	t.Helper()
	signing, err := keys.Open(t.TempDir()+"/keys", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return issuer.New(signing, "https://auth.example.com", "craftista", time.Minute)
}

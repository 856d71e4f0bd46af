package token_test

import (
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/keys"
	"craftista/auth/internal/token"
	shared "craftista/shared/token"

	"github.com/google/go-cmp/cmp"
)

func TestMintIsGoodForItsLifetime(t *testing.T) {
	t.Parallel()
	issuer := issuer(t)
	now := time.Now().Truncate(time.Second)
	for name, row := range map[string]struct {
		minted time.Time
		want   shared.User
	}{
		"now":       {now, shared.User{ID: 7, Name: "crane", Role: shared.RoleCurator, Session: "3", Expires: now.Add(time.Minute)}},
		"long ago":  {now.Add(-2 * time.Minute), shared.User{}},
		"to come":   {now.Add(time.Minute), shared.User{}},
		"a bit ago": {now.Add(-30 * time.Second), shared.User{ID: 7, Name: "crane", Role: shared.RoleCurator, Session: "3", Expires: now.Add(30 * time.Second)}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := issuer.Mint(crane(), 3, row.minted)
			if err != nil {
				t.Fatal(err)
			}
			got, err := issuer.Verifier.Verify(t.Context(), raw)
			if diff := cmp.Diff(got, row.want); diff != "" {
				t.Errorf("user (-got +want), error %v:\n%s", err, diff)
			}
		})
	}
}

func BenchmarkMint(b *testing.B) {
	issuer := issuer(b)
	for b.Loop() {
		if _, err := issuer.Mint(crane(), 3, time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkVerify(b *testing.B) {
	issuer := issuer(b)
	raw, err := issuer.Mint(crane(), 3, time.Now())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := issuer.Verifier.Verify(b.Context(), raw); err != nil {
			b.Fatal(err)
		}
	}
}

func crane() account.Person {
	return account.Person{ID: 7, Username: "crane", Role: shared.RoleCurator}
}

func issuer(tb testing.TB) *token.Issuer {
	tb.Helper()
	signing, err := keys.Open(tb.TempDir()+"/keys", time.Hour)
	if err != nil {
		tb.Fatal(err)
	}
	return token.NewIssuer(signing, "https://auth.example.com", "craftista", time.Minute)
}

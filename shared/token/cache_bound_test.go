package token

import (
	"crypto/sha256"
	"strconv"
	"testing"
)

func TestVerifiedTokensAreBounded(t *testing.T) {
	t.Parallel()
	var v verified
	for i := range 3 * maxVerified {
		hash := sha256.Sum256([]byte(strconv.Itoa(i)))
		v.put(hash, signed{user: User{ID: int64(i)}})
		if s, ok := v.get(hash); !ok || s.user.ID != int64(i) || len(v.tokens) > maxVerified {
			t.Fatalf("got %+v, %t among %d", s, ok, len(v.tokens))
		}
	}
}

package account

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/shared/fault"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/text/unicode/norm"
)

func TestHasherAdmitsWorkersAndQueueAndNoMore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(4, 2, 3)
		release := make(chan struct{})
		var mu sync.Mutex // guards working and most
		var working, most int
		work := func() {
			mu.Lock()
			working++
			most = max(most, working)
			mu.Unlock()
			<-release
			mu.Lock()
			working--
			mu.Unlock()
		}
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if err := h.run(t.Context(), work); err != nil {
					t.Errorf("one of five: %v", err)
				}
			})
		}
		synctest.Wait() // two work and three wait
		var busy *fault.Error
		err := h.run(t.Context(), work)
		if !errors.As(err, &busy) || busy.Kind != fault.Unavailable || busy.RetryAfter != 2*time.Second {
			t.Errorf("the sixth got %v, want Unavailable with a time to try again", err)
		}
		close(release)
		wg.Wait()
		if most != 2 {
			t.Errorf("%d worked at once, want 2", most)
		}
		if err := h.run(t.Context(), func() {}); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}

// TestDummyCostsAsMuchAsAHash: bcrypt says that a password is wrong only after all of the work.
func TestDummyCostsAsMuchAsAHash(t *testing.T) {
	t.Parallel()
	dummy := []byte(NewHasher(5, 1, 1).dummy)
	err := bcrypt.CompareHashAndPassword(dummy, []byte("paper crane"))
	if !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		t.Errorf("compared with the dummy: %v", err)
	}
	if cost, err := bcrypt.Cost(dummy); cost != 5 || err != nil {
		t.Errorf("cost %d, error %v; want 5", cost, err)
	}
}

// TestOnlyThePasswordMatches has passwords that bcrypt alone would take for one another.
func TestOnlyThePasswordMatches(t *testing.T) {
	t.Parallel()
	h := NewHasher(4, 1, 1)
	long := strings.Repeat("p", 72)
	for password, others := range map[string][]string{
		"paper crane":                 {"paper cranE", "paper crane ", "", "paper crane\x00", "paper crane\x00paper crane"},
		"paper\x00crane":              {"paper", "paper\x00swans", "paper\x00crane\x00"},
		long + "q":                    {long, long + "r", long + "qq"},
		strings.Repeat("折", 128):      {strings.Repeat("折", 127), strings.Repeat("折", 127) + "紙"},
		"\u1ebf cr\u00e8me br\u00fbl": {"e creme brul"},
	} {
		hash, err := h.Hash(t.Context(), password)
		if err != nil || h.outdated(hash) {
			t.Fatalf("%q: %v, outdated: %v", password, err, h.outdated(hash))
		}
		for _, same := range []string{password, norm.NFD.String(password)} {
			if ok, err := h.Matches(t.Context(), hash, same); !ok || err != nil {
				t.Errorf("%q does not match itself: %v", same, err)
			}
		}
		for _, other := range others {
			if ok, err := h.Matches(t.Context(), hash, other); ok || err != nil {
				t.Errorf("%q matches %q: %v", other, password, err)
			}
		}
	}
}

// TestDigestsOfOtherSitesAreUseless tries those that a leaked table might hold.
func TestDigestsOfOtherSitesAreUseless(t *testing.T) {
	t.Parallel()
	const password = "seven paper cranes"
	hash, err := NewHasher(4, 1, 1).Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	short, long := sha256.Sum256([]byte(password)), sha512.Sum384([]byte(password))
	bare := []byte(strings.TrimPrefix(hash, digestPrefix))
	for name, key := range map[string][]byte{
		"the password": []byte(password), "SHA-256": short[:], "SHA-384": long[:],
		"SHA-384 in base64": base64.StdEncoding.AppendEncode(nil, long[:]),
		"SHA-384 in hex":    hex.AppendEncode(nil, long[:])[:72],
	} {
		if bcrypt.CompareHashAndPassword(bare, key) == nil {
			t.Errorf("%s opens the hash", name)
		}
	}
	if err := bcrypt.CompareHashAndPassword(bare, digest(password)); err != nil || len(digest(password)) != 64 {
		t.Errorf("the digest of %d letters: %v", len(digest(password)), err)
	}
}

func TestOlderHashesMatchAndAreOutdated(t *testing.T) {
	t.Parallel()
	h := NewHasher(5, 1, 1)
	repeated := "paper crane\x00paper crane"
	for name, c := range map[string]struct {
		cost          int
		password, try string
		matches       bool
	}{
		"short":            {5, "crane", "crane", true},
		"wrong":            {5, "crane", "crana", false},
		"of 72 bytes":      {5, strings.Repeat("p", 72), strings.Repeat("p", 72), true},
		"and more":         {5, strings.Repeat("p", 72), strings.Repeat("p", 73), false},
		"NUL and it again": {5, "paper crane", repeated, false},
		"of less cost":     {4, "paper crane", "paper crane", true},
		"of more cost":     {6, "paper crane", "paper crane", true},
	} {
		hash, err := bcrypt.GenerateFromPassword([]byte(c.password), c.cost)
		if err != nil {
			t.Fatal(err)
		}
		matches, err := h.Matches(t.Context(), string(hash), c.try)
		if err != nil || matches != c.matches || !h.outdated(string(hash)) {
			t.Errorf("%s: matches %v, outdated %v, error %v", name, matches, h.outdated(string(hash)), err)
		}
	}
	for cost, want := range map[int]bool{4: true, 5: false, 6: false} {
		hash, err := NewHasher(cost, 1, 1).Hash(t.Context(), "paper crane")
		if got := h.outdated(hash); got != want || err != nil {
			t.Errorf("of cost %d: outdated %v, error %v", cost, got, err)
		}
	}
	if h.outdated("") || h.outdated("!") {
		t.Error("what is no hash is outdated")
	}
}

func TestHasherStopsWaitingWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(4, 1, 1)
		release := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() { _ = h.run(t.Context(), func() { <-release }) })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := h.Matches(ctx, "", "paper crane")
		if fault.KindOf(err) != fault.Unavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want Unavailable because of the deadline", err)
		}
		close(release)
		wg.Wait()
		if _, err := h.Matches(t.Context(), "", "paper crane"); err != nil {
			t.Errorf("its place in the queue is not free: %v", err)
		}
	})
}

package account

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"craftista/shared/fault"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/semaphore"
	"golang.org/x/text/unicode/norm"
)

// busyRetry is when to try again: a few hashes later.
const busyRetry = 2 * time.Second

// Hasher hashes and compares passwords with bcrypt, a bounded number at once, so
// that many sign-ins at once leave the process able to answer everything else. It
// is safe for concurrent use.
type Hasher struct {
	cost     int
	dummy    string              // a hash of that cost, for people without one
	admitted *semaphore.Weighted // of passwords in work or waiting
	working  *semaphore.Weighted // of those in work
}

// ValidCost reports whether bcrypt has the cost: 4 to 31.
func ValidCost(cost int) bool { return cost >= bcrypt.MinCost && cost <= bcrypt.MaxCost }

// NewHasher returns a hasher of a valid cost that works on at most workers
// passwords at once while at most queue wait.
func NewHasher(cost, workers, queue int) *Hasher {
	return &Hasher{
		cost:     cost,
		dummy:    fmt.Sprintf("$2a$%02d$%s", cost, strings.Repeat(".", 53)),
		admitted: semaphore.NewWeighted(int64(workers + queue)),
		working:  semaphore.NewWeighted(int64(workers)),
	}
}

// Hash returns the hash of a password's digest: digestPrefix and bcrypt's own text. It
// is an Unavailable fault if the queue is full or ctx ends before the work starts.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash []byte
	var err error
	generate := func() { hash, err = bcrypt.GenerateFromPassword(digest(password), h.cost) }
	if busy := h.run(ctx, generate); busy != nil {
		return "", busy
	}
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return digestPrefix + string(hash), nil
}

// Matches reports whether hash was made of password. It takes as long, and is
// false, where hash is none of ours ("" for a person who does not exist or is
// disabled) and where a hash without digest cannot tell the password from another.
// Errors are those of Hash.
func (h *Hasher) Matches(ctx context.Context, hash, password string) (bool, error) {
	hash, digested := strings.CutPrefix(hash, digestPrefix)
	key := digest(password)
	if !digested {
		key = []byte(password)
	}
	_, err := bcrypt.Cost([]byte(hash))
	possible := err == nil && hashable(key)
	if !possible {
		hash = h.dummy
	}
	compare := func() { err = bcrypt.CompareHashAndPassword([]byte(hash), key) }
	if busy := h.run(ctx, compare); busy != nil {
		return false, busy
	}
	return possible && err == nil, nil
}

// outdated reports whether a hash that matched is to be replaced by one that Hash
// makes: it is of the password itself, or costs less.
func (h *Hasher) outdated(hash string) bool {
	bare, digested := strings.CutPrefix(hash, digestPrefix)
	cost, err := bcrypt.Cost([]byte(bare))
	return err == nil && (!digested || cost < h.cost)
}

// run does the work on this goroutine once fewer than the maximum are in work.
func (h *Hasher) run(ctx context.Context, work func()) error {
	busy := fault.Error{
		Kind: fault.Unavailable, RetryAfter: busyRetry,
		Message: "too many people are signing in at once, try again shortly",
	}
	if !h.admitted.TryAcquire(1) {
		return &busy
	}
	defer h.admitted.Release(1)
	if err := h.working.Acquire(ctx, 1); err != nil {
		return busy.Because(err)
	}
	defer h.working.Release(1)
	work()
	return nil
}

// hashable reports whether bcrypt tells the key from every other one: it reads 72
// bytes, and repeats a shorter key after a NUL. Every digest is hashable.
func hashable(key []byte) bool { return len(key) <= 72 && !bytes.Contains(key, []byte{0}) }

const (
	// digestPrefix marks a hash of a password's digest. Hashes without it are bcrypt's
	// of the password's own bytes: older ones, and those of the seed.
	digestPrefix = "hmac-sha384:"
	// digestKey is no secret. It makes the digest one that nobody else's table has.
	digestKey = "craftista password digest 1"
)

// digest is what bcrypt gets of a password: 64 letters of base64, whatever its length.
//   - All of the password counts, and there is no NUL: bcrypt would ignore what
//     follows the 72nd byte, and end at a NUL.
//   - One password is one digest, however a keyboard composes its letters (NFC).
//   - HMAC, with a key of this use alone, keeps a leaked table of plain hashes of other
//     sites from being tried here without the passwords themselves (shucking).
func digest(password string) []byte {
	mac := hmac.New(sha512.New384, []byte(digestKey))
	mac.Write([]byte(norm.NFC.String(password)))
	return base64.StdEncoding.AppendEncode(nil, mac.Sum(nil))
}

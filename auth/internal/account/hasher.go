package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"craftista/shared/fault"

	"golang.org/x/crypto/bcrypt"
	"golang.org/x/sync/semaphore"
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

// Hash returns the bcrypt hash of a password of at most 72 bytes, or an
// Unavailable fault if the queue is full or ctx ends before the work starts.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash []byte
	var err error
	generate := func() { hash, err = bcrypt.GenerateFromPassword([]byte(password), h.cost) }
	if busy := h.run(ctx, generate); busy != nil {
		return "", busy
	}
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// Matches reports whether hash was made of password. It takes as long, and is
// false, where hash is no bcrypt hash ("" for a person who does not exist or is
// disabled) and where bcrypt cannot tell the password from another. Errors are
// those of Hash.
func (h *Hasher) Matches(ctx context.Context, hash, password string) (bool, error) {
	_, err := bcrypt.Cost([]byte(hash))
	possible := err == nil && hashable(password)
	if !possible {
		hash = h.dummy
	}
	compare := func() { err = bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) }
	if busy := h.run(ctx, compare); busy != nil {
		return false, busy
	}
	return possible && err == nil, nil
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

// hashable reports whether bcrypt tells the password from every other one: it
// reads 72 bytes, and repeats a shorter key after a NUL.
func hashable(password string) bool {
	return len(password) <= maxPassword && !strings.Contains(password, "\x00")
}

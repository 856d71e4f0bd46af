package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"craftista/shared/fault"

	"golang.org/x/crypto/bcrypt"
)

// busyRetry is when trying again may help: a few hashes later.
const busyRetry = 2 * time.Second

// Hasher hashes and compares passwords with bcrypt, a bounded number at once, so
// that a rush of people leaves the process able to answer everything else. It is
// safe for concurrent use.
type Hasher struct {
	cost     int
	dummy    string        // of that cost, compared with where there is nothing to compare with
	admitted chan struct{} // holds one for each password under way or waiting
	working  chan struct{} // holds one for each under way
}

// ValidCost reports whether bcrypt knows the cost: 4 to 31.
func ValidCost(cost int) bool { return cost >= bcrypt.MinCost && cost <= bcrypt.MaxCost }

// NewHasher returns a hasher of a valid cost that works on at most workers
// passwords at once while at most queue wait.
func NewHasher(cost, workers, queue int) *Hasher {
	return &Hasher{
		cost:     cost,
		dummy:    fmt.Sprintf("$2a$%02d$%s", cost, strings.Repeat(".", 53)),
		admitted: make(chan struct{}, workers+queue),
		working:  make(chan struct{}, workers),
	}
}

// Hash returns the bcrypt hash of a password of at most 72 bytes, or an
// Unavailable fault if the queue is full or ctx ends before the work starts.
func (h *Hasher) Hash(ctx context.Context, password string) (string, error) {
	var hash []byte
	var err error
	if busy := h.run(ctx, func() { hash, err = bcrypt.GenerateFromPassword([]byte(password), h.cost) }); busy != nil {
		return "", busy
	}
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return string(hash), nil
}

// Matches reports whether hash was made of password. It takes as long, and says
// false, where hash is no bcrypt hash ("" for a person who does not exist, a
// mark for one who may not sign in) and where bcrypt would not tell the password
// from another. Errors are those of Hash.
func (h *Hasher) Matches(ctx context.Context, hash, password string) (bool, error) {
	_, err := bcrypt.Cost([]byte(hash))
	possible := err == nil && hashable(password)
	if !possible {
		hash = h.dummy
	}
	if busy := h.run(ctx, func() { err = bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) }); busy != nil {
		return false, busy
	}
	return possible && err == nil, nil
}

// run does the work on this goroutine once a worker's place is free.
func (h *Hasher) run(ctx context.Context, work func()) error {
	busy := fault.Error{
		Kind: fault.Unavailable, Message: "too many people are signing in at once, try again shortly", RetryAfter: busyRetry,
	}
	select {
	case h.admitted <- struct{}{}:
		defer func() { <-h.admitted }()
	default:
		return &busy
	}
	select {
	case h.working <- struct{}{}:
		defer func() { <-h.working }()
	case <-ctx.Done():
		return busy.Because(context.Cause(ctx))
	}
	work()
	return nil
}

// hashable reports whether bcrypt tells the password from every other one: it
// reads 72 bytes, and repeats a shorter key after a NUL.
func hashable(password string) bool {
	return len(password) <= maxPassword && !strings.Contains(password, "\x00")
}

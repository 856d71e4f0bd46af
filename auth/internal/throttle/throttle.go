// Package throttle slows down whoever guesses passwords or registers many people,
// and nobody else.
package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"time"

	"craftista/shared/fault"
)

const (
	forgetAfter = time.Hour           // without another failure, and after the longest wait
	knownFor    = 90 * 24 * time.Hour // since the last success from there
)

// Limits say how many failures are free, and how long the waits are after that:
// First, then twice as long after each further failure, up to Most or AccountMost.
type Limits struct {
	PairFree     int           `env:"THROTTLE_PAIR_FREE"`    // failures at one account from one address
	AccountFree  int           `env:"THROTTLE_ACCOUNT_FREE"` // at one account from all unknown addresses
	AddressFree  int           `env:"THROTTLE_ADDRESS_FREE"` // from one address at all accounts
	RegisterFree int           `env:"THROTTLE_REGISTER_FREE"`
	First        time.Duration `env:"THROTTLE_FIRST"`
	Most         time.Duration `env:"THROTTLE_MOST"`
	AccountMost  time.Duration `env:"THROTTLE_ACCOUNT_MOST"`
}

// Default are the limits of a public site. Ten failures and 45 s keep guessing at
// one account below the 100 failures an hour of OWASP ASVS 4.0 requirement 2.2.1.
func Default() Limits {
	return Limits{
		PairFree: 5, AccountFree: 10, AddressFree: 50, RegisterFree: 20,
		First: time.Second, Most: 15 * time.Minute, AccountMost: 45 * time.Second,
	}
}

// Count is how often something failed, and when it last did.
type Count struct {
	Failures int
	LastAt   time.Time
}

// Store counts by key, for all replicas.
type Store interface {
	// Counts gives those of the keys that have not expired.
	Counts(ctx context.Context, keys [][]byte, now time.Time) (map[string]Count, error)
	// Fail counts one more failure of each key, which then expires at forget, and
	// gives the counts with it.
	Fail(ctx context.Context, keys [][]byte, now, forget time.Time) (map[string]Count, error)
	// Succeed deletes the keys, and stores known until forget.
	Succeed(ctx context.Context, keys [][]byte, known []byte, now, forget time.Time) error
}

// Throttle decides who has to wait. It is safe for concurrent use.
type Throttle struct {
	store  Store
	secret []byte
	limits Limits
	now    func() time.Time
}

// New returns a throttle that counts in store, under keys that need the secret to
// be computed; replicas share both.
func New(store Store, secret string, limits Limits, now func() time.Time) *Throttle {
	return &Throttle{store: store, secret: []byte(secret), limits: limits, now: now}
}

// rule is the limit of one key.
type rule struct {
	key  []byte
	free int
	most time.Duration
}

// Attempt is one try at a password that may go on. The caller reports its result
// by Failed or Succeeded.
type Attempt struct {
	throttle      *Throttle
	subject, from string
	rules         []rule // the pair, the address and, unless the address is known, the account
	before        map[string]Count
}

// Attempt begins a try at the password of subject, which need not exist, by
// somebody at the address from. If they have to wait, it is a Throttled fault that
// says how long. After OWASP ASVS 4.0 requirement 2.2.1 it checks the failures:
//   - at this subject from this address
//   - from this address at all subjects
//   - at this subject from anywhere, unless the address has had the right
//     password before: others who guess cannot lock people out where they usually
//     are, and elsewhere for no longer than AccountMost at a time
//
// An attempt that is refused here is not counted, so that no wait becomes longer
// by trying too early.
func (t *Throttle) Attempt(ctx context.Context, subject, from string) (*Attempt, error) {
	rules := []rule{
		{t.key("pair", from, subject), t.limits.PairFree, t.limits.Most},
		{t.key("address", from, ""), t.limits.AddressFree, t.limits.Most},
		{t.key("account", "", subject), t.limits.AccountFree, t.limits.AccountMost},
	}
	known, now := t.key("known", from, subject), t.now()
	counts, err := t.store.Counts(ctx, append(keys(rules), known), now)
	if err != nil {
		return nil, err
	}
	if _, ok := counts[string(known)]; ok {
		rules = rules[:2]
	}
	return &Attempt{t, subject, from, rules, counts}, t.wait(rules, counts, now)
}

// Failed counts the failure. It is a Throttled fault if others, at the same time,
// have used up what was free: then the caller must not tell that it failed.
func (a *Attempt) Failed(ctx context.Context) error {
	return a.throttle.fail(ctx, a.rules, a.before)
}

// Succeeded resets the failures at the subject. It is a Throttled fault as in
// Failed: then the caller must not tell that it succeeded, or many guesses at
// once would each be answered.
func (a *Attempt) Succeeded(ctx context.Context) error {
	t := a.throttle
	if _, err := t.check(ctx, a.rules); err != nil {
		return err
	}
	now, known := t.now(), t.key("known", a.from, a.subject)
	reset := [][]byte{t.key("pair", a.from, a.subject), t.key("account", "", a.subject)}
	return t.store.Succeed(ctx, reset, known, now, now.Add(knownFor))
}

// Register counts a registration from the address, or is a Throttled fault.
func (t *Throttle) Register(ctx context.Context, from string) error {
	rules := []rule{{t.key("register", from, ""), t.limits.RegisterFree, t.limits.Most}}
	before, err := t.check(ctx, rules)
	if err != nil {
		return err
	}
	return t.fail(ctx, rules, before)
}

// check gives the counts of the rules, or a Throttled fault.
func (t *Throttle) check(ctx context.Context, rules []rule) (map[string]Count, error) {
	now := t.now()
	counts, err := t.store.Counts(ctx, keys(rules), now)
	if err != nil {
		return nil, err
	}
	return counts, t.wait(rules, counts, now)
}

// fail counts a failure of each rule. If a failure of somebody else came between
// and began a wait, this one came during that wait.
func (t *Throttle) fail(ctx context.Context, rules []rule, before map[string]Count) error {
	now := t.now()
	after, err := t.store.Fail(ctx, keys(rules), now, now.Add(t.limits.Most+forgetAfter))
	if err != nil {
		return err
	}
	for _, r := range rules {
		others := after[string(r.key)].Failures - 1
		if others > before[string(r.key)].Failures && others >= r.free {
			return t.wait(rules, after, now)
		}
	}
	return nil
}

// wait is a Throttled fault for the longest wait that any of the rules demands.
func (t *Throttle) wait(rules []rule, counts map[string]Count, now time.Time) error {
	var longest time.Duration
	for _, r := range rules {
		c := counts[string(r.key)]
		if d := t.delay(c.Failures, r); d > 0 {
			longest = max(longest, c.LastAt.Add(d).Sub(now))
		}
	}
	if longest <= 0 {
		return nil
	}
	return &fault.Error{Kind: fault.Throttled, Message: "too many attempts, try again later", RetryAfter: longest}
}

// delay is the wait after the last of so many failures: it doubles with each that
// was not free.
func (t *Throttle) delay(failures int, r rule) time.Duration {
	if failures < r.free {
		return 0
	}
	d := t.limits.First
	for range failures - r.free {
		if d >= r.most {
			break
		}
		d *= 2
	}
	return min(d, r.most)
}

// key is HMAC-SHA256 (RFC 2104), so that the table has neither names nor
// addresses. No kind and no address contains a NUL.
func (t *Throttle) key(kind, from, subject string) []byte {
	mac := hmac.New(sha256.New, t.secret)
	_, _ = mac.Write([]byte("throttle\x00" + kind + "\x00" + from + "\x00" + subject)) // never fails
	return mac.Sum(nil)
}

func keys(rules []rule) [][]byte {
	all := make([][]byte, len(rules))
	for i, r := range rules {
		all[i] = r.key
	}
	return all
}

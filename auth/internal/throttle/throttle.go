// Package throttle slows down whoever guesses passwords or registers many people,
// and nobody else.
package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"slices"
	"strings"
	"time"

	"craftista/shared/fault"
)

const (
	mailsPerHour = 3 // of one kind to one address

	forgetAfter = time.Hour           // without another failure, and after the longest wait
	knownFor    = 90 * 24 * time.Hour // since the last success from there
)

// Limits say how many failures are free, and how long the waits are after that:
// First, then twice as long after each further failure, up to Most.
type Limits struct {
	PairFree     int           `env:"THROTTLE_PAIR_FREE"`    // failures at one name from one address
	AccountFree  int           `env:"THROTTLE_ACCOUNT_FREE"` // at one name from all unknown addresses
	AddressFree  int           `env:"THROTTLE_ADDRESS_FREE"` // from one address at all names
	RegisterFree int           `env:"THROTTLE_REGISTER_FREE"`
	First        time.Duration `env:"THROTTLE_FIRST"`
	Most         time.Duration `env:"THROTTLE_MOST"`
	Admission    time.Duration `env:"THROTTLE_ADMISSION"` // the first wait of a new address after AccountFree, at least
}

// Default are the limits of a public site. One address has 17 guesses at a name in
// its first hour and 4 in each after it; 100 addresses have 710, then 400.
func Default() Limits {
	return Limits{
		PairFree: 5, AccountFree: 10, AddressFree: 50, RegisterFree: 20,
		First: time.Second, Most: 15 * time.Minute, Admission: 30 * time.Second,
	}
}

// admission is how many failures an address starts with after AccountFree: as many
// as wait for Admission.
func (l Limits) admission() int {
	n := l.PairFree
	for d := l.First; d < l.Admission; d *= 2 {
		n++
	}
	return n
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
	// Set sets the count of the key to failures, the last of them now, until forget.
	Set(ctx context.Context, key []byte, failures int, now, forget time.Time) error
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
}

// Attempt is one try at a password that may go on. The caller reports its result
// by Failed or Succeeded.
type Attempt struct {
	throttle *Throttle
	own      []rule // the pair and the address
	account  []rule // none if the address is known
	known    []byte // the key
	before   map[string]Count
}

// Attempt begins a try at the password of subject, which need not exist, by
// somebody at the address from. If they have to wait, it is a Throttled fault that
// says how long. It checks the failures:
//   - at this subject from this address
//   - from this address at all subjects
//   - at this subject from all addresses that have not had the right password
//     before: after AccountFree, others that have not starts with the failures
//     that wait for Admission
//
// So nobody waits for what others do but once, for Admission. An attempt that is
// refused here is not counted: no wait becomes longer by trying too early.
func (t *Throttle) Attempt(ctx context.Context, subject, from string) (*Attempt, error) {
	a := &Attempt{
		throttle: t,
		own: []rule{
			{t.key("pair", from, subject), t.limits.PairFree},
			{t.key("address", from, ""), t.limits.AddressFree},
		},
		account: []rule{{t.key("account", "", subject), t.limits.AccountFree}},
		known:   t.key("known", from, subject),
	}
	return a, a.check(ctx)
}

// check reads the counts, and is a Throttled fault if they demand a wait.
func (a *Attempt) check(ctx context.Context) (err error) {
	t := a.throttle
	all := append(keys(slices.Concat(a.own, a.account)), a.known)
	if a.before, err = t.store.Counts(ctx, all, t.now()); err != nil {
		return err
	}
	if _, ok := a.before[string(a.known)]; ok {
		a.account = nil
	}
	if err := t.wait(a.own, a.before); err != nil {
		return err
	}
	return a.admit(ctx, a.before)
}

// admit is a Throttled fault if the address is new and has to wait for Admission.
func (a *Attempt) admit(ctx context.Context, counts map[string]Count) error {
	t, pair, start := a.throttle, a.own[0], a.throttle.limits.admission()
	attacked := slices.ContainsFunc(a.account, func(r rule) bool { return counts[string(r.key)].Failures >= r.free })
	if !attacked || counts[string(pair.key)].Failures >= start {
		return nil
	}
	now, d := t.now(), t.delay(start, pair)
	if err := t.store.Set(ctx, pair.key, start, now, now.Add(d+t.limits.Most)); err != nil {
		return err
	}
	return throttled(d)
}

// Failed counts the failure. It is a Throttled fault if others, at the same time,
// have used up what was free: then the caller must not tell that it failed.
func (a *Attempt) Failed(ctx context.Context) error {
	t, now := a.throttle, a.throttle.now()
	all := keys(slices.Concat(a.own, a.account))
	after, err := t.store.Fail(ctx, all, now, now.Add(t.limits.Most+forgetAfter))
	switch {
	case err != nil:
		return err
	case exhausted(a.own, a.before, after):
		return t.wait(a.own, after)
	case exhausted(a.account, a.before, after):
		return a.admit(ctx, after)
	default:
		return nil
	}
}

// Succeeded resets the failures at the subject from this address (NIST SP 800-63B
// section 5.2.2). It is a Throttled fault as in Failed: then the caller must not
// tell that it succeeded, or many guesses at once would each be answered.
func (a *Attempt) Succeeded(ctx context.Context) error {
	if err := a.check(ctx); err != nil {
		return err
	}
	store, now := a.throttle.store, a.throttle.now()
	if err := store.Set(ctx, a.own[0].key, 0, now, now); err != nil {
		return err
	}
	return store.Set(ctx, a.known, 0, now, now.Add(knownFor))
}

// Register counts a registration from the address, or is a Throttled fault.
func (t *Throttle) Register(ctx context.Context, from string) error {
	return t.count(ctx, "register", from)
}

// RequestMail is Register for a mail to an address that somebody typed.
func (t *Throttle) RequestMail(ctx context.Context, from string) error {
	return t.count(ctx, "request mail", from)
}

func (t *Throttle) count(ctx context.Context, kind, from string) error {
	a := &Attempt{throttle: t, own: []rule{{t.key(kind, from, ""), t.limits.RegisterFree}}}
	if err := a.check(ctx); err != nil {
		return err
	}
	return a.Failed(ctx)
}

// Mail counts a mail of the kind to an address, and reports whether it may be sent: mailsPerHour may. Those that may
// not do not count, so that nobody keeps mails from the person: the last link that was sent is younger than an hour.
func (t *Throttle) Mail(ctx context.Context, kind, to string) (bool, error) {
	key, now := t.key("mail", kind, strings.ToLower(to)), t.now()
	counts, err := t.store.Counts(ctx, [][]byte{key}, now)
	if err != nil || counts[string(key)].Failures >= mailsPerHour {
		return false, err
	}
	counts, err = t.store.Fail(ctx, [][]byte{key}, now, now.Add(time.Hour))
	return err == nil && counts[string(key)].Failures <= mailsPerHour, err
}

// exhausted reports whether a failure of somebody else came between and used up
// what was free, so that this one came during a wait.
func exhausted(rules []rule, before, after map[string]Count) bool {
	return slices.ContainsFunc(rules, func(r rule) bool {
		others := after[string(r.key)].Failures - 1
		return others > before[string(r.key)].Failures && others >= r.free
	})
}

// wait is a Throttled fault for the longest wait that any of the rules demands.
func (t *Throttle) wait(rules []rule, counts map[string]Count) error {
	var longest time.Duration
	for _, r := range rules {
		c := counts[string(r.key)]
		if d := t.delay(c.Failures, r); d > 0 {
			longest = max(longest, c.LastAt.Add(d).Sub(t.now()))
		}
	}
	if longest <= 0 {
		return nil
	}
	return throttled(longest)
}

func throttled(wait time.Duration) error {
	return &fault.Error{Kind: fault.Throttled, Message: "too many attempts, try again later", RetryAfter: wait}
}

// delay is the wait after the last of so many failures: it doubles with each that
// was not free.
func (t *Throttle) delay(failures int, r rule) time.Duration {
	if failures < r.free {
		return 0
	}
	d := t.limits.First
	for range failures - r.free {
		if d >= t.limits.Most {
			break
		}
		d *= 2
	}
	return min(d, t.limits.Most)
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

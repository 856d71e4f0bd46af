// Package account is the people of Craftista: who may register with which name
// and password, and who may sign in.
package account

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"craftista/auth/internal/throttle"
	"craftista/shared/fault"
)

// Person is a registered person.
type Person struct {
	ID        int64
	Username  string
	Email     string
	Verified  bool   // they have proved that the address is theirs
	Role      string // one of the Role constants of shared/token
	Disabled  bool   // may not sign in
	CreatedAt time.Time
}

// Store stores people. Names and addresses are unique regardless of case.
type Store interface {
	// Create adds a person with the role user. A name or an address that somebody
	// has is a Conflict fault.
	Create(ctx context.Context, username, email, hash string) (Person, error)
	// Find gives the person with that name or address, and the hash of the
	// password, "" if the person is disabled; nobody is a NotFound fault.
	Find(ctx context.Context, nameOrEmail string) (p Person, hash string, err error)
	// Person is Find by id.
	Person(ctx context.Context, id int64) (p Person, hash string, err error)
	// List gives up to limit people by id, of those after that id whose name or
	// address contains the text, regardless of case.
	List(ctx context.Context, text string, after int64, limit int) ([]Person, error)
	// SetPassword replaces the hash and revokes every refresh-token family of the
	// person except one, both or neither. If old is not the hash any more, that is a
	// Conflict fault.
	SetPassword(ctx context.Context, id int64, old, hash string, exceptFamily int64) error
	// RenewHash replaces the hash by another of the same password, and revokes nothing.
	// If old is not the hash any more, or the person is disabled, that is a Conflict fault.
	RenewHash(ctx context.Context, id int64, old, hash string) error
	// SetRole changes a person's role; nobody is a NotFound fault, taking the role
	// from the last admin who is not disabled a Conflict fault, and a by who is no
	// such admin a Forbidden fault.
	SetRole(ctx context.Context, by, id int64, role string) (Person, error)
	// SetDisabled disables a person and revokes their families, or enables them.
	// Faults are those of SetRole.
	SetDisabled(ctx context.Context, by, id int64, disabled bool) (Person, error)
}

// Accounts registers people and signs them in. It is safe for concurrent use.
type Accounts struct {
	store    Store
	hasher   *Hasher
	reserved *Hasher // for people who are signed in, so that strangers cannot keep them waiting
	throttle *throttle.Throttle
	log      *slog.Logger
}

// reservedQueue is how many of the passwords of people who are signed in may wait.
const reservedQueue = 8

// New returns the accounts in store. Hashing for people who are signed in has one
// worker besides hasher's. Security events go to log, by user id
// and never by name, address or password.
func New(store Store, hasher *Hasher, limit *throttle.Throttle, log *slog.Logger) *Accounts {
	reserved := NewHasher(hasher.cost, 1, reservedQueue)
	return &Accounts{store: store, hasher: hasher, reserved: reserved, throttle: limit, log: log}
}

// Register adds a person. Broken rules are an Invalid fault with all of them, a
// taken name or address is a Conflict fault that does not say which, too many
// from one network are a Throttled fault, and a full queue of passwords is an
// Unavailable fault.
func (a *Accounts) Register(ctx context.Context, from string, r Registration) (Person, error) {
	if err := r.check(); err != nil {
		return Person{}, err
	}
	if err := a.throttle.Register(ctx, from); err != nil {
		return Person{}, err
	}
	hash, err := a.hasher.Hash(ctx, r.Password)
	if err != nil {
		return Person{}, err
	}
	p, err := a.store.Create(ctx, r.Username, r.Email, hash)
	if err != nil {
		return Person{}, err
	}
	a.log.InfoContext(ctx, "registered", "user_id", p.ID)
	return p, nil
}

// SignIn returns the person with that name or address and password, and the hash
// of it, to somebody at the network from; signedIn is who they are already, 0
// for nobody. After the OWASP Authentication Cheat Sheet,
// "Authentication and Error Messages", it checks:
//   - the number of failures before, before any hashing: see Throttle
//   - the password against the person's hash, in constant time (bcrypt)
//   - if there is no such person, or no usable hash, against a hash of the same
//     cost that no password matches, so that the time tells nothing
//   - the number of passwords being hashed, before any work: see Hasher
//
// Whatever was wrong, the answer is one Unauthenticated fault with one text. Blanks
// around the name do not count. A hash of before a change of the construction or the
// cost takes another time, until the person signs in: then it is renewed.
func (a *Accounts) SignIn(
	ctx context.Context, from, nameOrEmail, password string, signedIn int64,
) (Person, string, error) {
	nameOrEmail = strings.TrimSpace(nameOrEmail)
	p, hash, err := a.store.Find(ctx, nameOrEmail)
	if err != nil && fault.KindOf(err) != fault.NotFound {
		return Person{}, "", err
	}
	hasher := a.hasher
	if signedIn != 0 && p.ID == signedIn {
		hasher = a.reserved
	}
	// What was typed counts, or the counts would tell which name and address are one's.
	ok, err := a.try(ctx, hasher, "name:"+strings.ToLower(nameOrEmail), from, hash, password)
	if ok && hasher.outdated(hash) {
		hash, ok, err = a.renew(ctx, hasher, p.ID, hash, password)
	}
	switch {
	case err != nil:
		return Person{}, "", err
	case !ok:
		a.log.InfoContext(ctx, "sign-in failed", "user_id", p.ID) // 0 is nobody
		return Person{}, "", fault.New(fault.Unauthenticated, "wrong username or password")
	}
	a.log.InfoContext(ctx, "signed in", "user_id", p.ID)
	return p, hash, nil
}

// renew replaces an outdated hash that the password matched, and gives the one that is
// stored then. Of two sign-ins at once the first replaces it; the other holds the
// password against what it finds, and reports whether they match.
func (a *Accounts) renew(
	ctx context.Context, hasher *Hasher, id int64, old, password string,
) (hash string, ok bool, err error) {
	if hash, err = hasher.Hash(ctx, password); err != nil {
		return "", false, err
	}
	if err = a.store.RenewHash(ctx, id, old, hash); fault.KindOf(err) != fault.Conflict {
		return hash, err == nil, err
	}
	if _, hash, err = a.store.Person(ctx, id); err != nil {
		return "", false, err
	}
	ok, err = hasher.Matches(ctx, hash, password)
	return hash, ok, err
}

// try reports whether hash was made of password, and counts the result for the
// subject and the network from. Errors are those of Throttle and Hasher.
func (a *Accounts) try(ctx context.Context, hasher *Hasher, subject, from, hash, password string) (bool, error) {
	attempt, err := a.throttle.Attempt(ctx, subject, from)
	if err != nil {
		return false, err
	}
	ok, err := hasher.Matches(ctx, hash, password)
	switch {
	case err != nil:
		return false, err
	case ok:
		return true, attempt.Succeeded(ctx)
	default:
		return false, attempt.Failed(ctx)
	}
}

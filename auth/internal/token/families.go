package token

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"time"

	"craftista/auth/internal/account"
	"craftista/shared/fault"
)

// grace is how long after its first use a refresh token still works: for a
// second tab that sent it too, and for an answer that was lost.
const grace = 10 * time.Second

// Family is one sign-in: the refresh tokens that came one from another.
type Family struct {
	ID       int64
	Person   account.Person // as they are now
	ClientID string         // the OAuth client's; "" is the site itself
	Scope    string         // what was granted, as in RFC 6749 section 3.3
}

// Refresh is a refresh token as its owner gets it. Token is secret and kept
// nowhere.
type Refresh struct {
	Token     string
	ExpiresIn time.Duration
	Family    Family
}

// Kept is what is kept of a refresh token.
type Kept struct {
	Hash []byte // SHA-256
	Ends time.Time
}

// Presented is what is known of a refresh token that somebody presents.
type Presented struct {
	Family  Family
	Ends    time.Time // the family's
	UsedAt  time.Time // zero if this is the first time
	Revoked bool      // the family
}

// Decision is what becomes of a presented token. The zero value changes nothing.
type Decision struct {
	Revoke bool // the family
	Child  Kept // to keep, and the presented token to mark as used, unless Hash is nil
}

// FamilyStore keeps families and the codes that become them.
type FamilyStore interface {
	CodeStore
	SessionStore
	// Start keeps a new family of the site with its first token. A person who is
	// disabled or does not exist is a NotFound fault.
	Start(ctx context.Context, userID int64, device string, now, ends time.Time, first Kept) (Family, error)
	// Rotate does what decide says about the token with that hash, while no other
	// Rotate or Revoke touches its family: all of it or nothing. A token that has
	// ended or never was is a NotFound fault.
	Rotate(ctx context.Context, hash []byte, now time.Time, decide func(Presented) Decision) error
	// Revoke ends the family of the token with that hash, if there is one.
	Revoke(ctx context.Context, hash []byte, now time.Time) error
}

// Families hands out refresh tokens. It is safe for concurrent use, also by
// replicas on one database, which decides between them.
type Families struct {
	store    FamilyStore
	sliding  time.Duration
	absolute time.Duration
	log      *slog.Logger
	now      func() time.Time
}

// NewFamilies returns families kept in store. A token not used for sliding ends,
// and a family ends after absolute however much it is used. Security events go
// to log.
func NewFamilies(store FamilyStore, sliding, absolute time.Duration, log *slog.Logger, now func() time.Time) *Families {
	return &Families{store: store, sliding: sliding, absolute: absolute, log: log, now: now}
}

// Start begins a family for a person who has just signed in to the site, on a
// device that they will know it by. A person who is disabled by now is an
// Unauthenticated fault.
func (f *Families) Start(ctx context.Context, userID int64, device string) (Refresh, error) {
	now, token := f.now(), newToken()
	ends := now.Add(f.absolute)
	first := f.kept(token, now, ends)
	family, err := f.store.Start(ctx, userID, device, now, ends, first)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return Refresh{}, refused().Because(err)
	case err != nil:
		return Refresh{}, err
	}
	return Refresh{Token: token, ExpiresIn: first.Ends.Sub(now), Family: family}, nil
}

// Rotate gives the next token for one of this client, with the person as they
// are now (RFC 9700 section 4.14.2). It checks:
//   - that the token is known, by its hash, and has not ended
//   - that it was given to this client; if not, nothing happens to it
//   - that the family is not revoked and the person not disabled
//   - that it was not used before, or first used at most 10 s ago; later use
//     means that somebody has a copy, so that the family is revoked
//
// The checks and the change are one transaction. Whatever was wrong, the answer
// is one Unauthenticated fault.
func (f *Families) Rotate(ctx context.Context, raw, clientID string) (Refresh, error) {
	now, token := f.now(), newToken()
	var p Presented
	var d Decision
	err := f.store.Rotate(ctx, digest(raw), now, func(presented Presented) Decision {
		p, d = presented, f.decide(presented, clientID, token, now)
		return d
	})
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return Refresh{}, refused().Because(err)
	case err != nil:
		return Refresh{}, err
	case d.Revoke:
		f.log.WarnContext(ctx, "refresh token reused", "user_id", p.Family.Person.ID, "family_id", p.Family.ID)
		return Refresh{}, refused()
	case d.Child.Hash == nil:
		return Refresh{}, refused()
	}
	return Refresh{Token: token, ExpiresIn: d.Child.Ends.Sub(now), Family: p.Family}, nil
}

func (f *Families) decide(p Presented, clientID, child string, now time.Time) Decision {
	switch {
	case p.Family.ClientID != clientID, p.Revoked, p.Family.Person.Disabled:
		return Decision{}
	case !p.UsedAt.IsZero() && now.Sub(p.UsedAt) > grace:
		return Decision{Revoke: true}
	default:
		return Decision{Child: f.kept(child, now, p.Ends)}
	}
}

// Revoke ends the token's whole family, even if the token was used or has ended.
// A token that never was is no error (RFC 7009 section 2.2).
func (f *Families) Revoke(ctx context.Context, raw string) error {
	return f.store.Revoke(ctx, digest(raw), f.now())
}

func (f *Families) kept(token string, now, familyEnds time.Time) Kept {
	ends := now.Add(f.sliding)
	if ends.After(familyEnds) {
		ends = familyEnds
	}
	return Kept{Hash: digest(token), Ends: ends}
}

func refused() *fault.Error {
	return &fault.Error{Kind: fault.Unauthenticated, Message: "the refresh token is not good any more, sign in again", Code: "invalid_token"}
}

// newToken is 256 random bits as 43 letters that need no escaping anywhere.
func newToken() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// digest needs neither salt nor cost: nobody guesses 256 random bits.
func digest(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

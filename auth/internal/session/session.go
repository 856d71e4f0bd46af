// Package session is people's sign-ins: the refresh-token families that they are
// made of, the authorization codes that start them for OAuth clients, and a
// person's list of them.
package session

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"craftista/auth/internal/account"
	"craftista/auth/internal/secrets"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// reuseGrace is how long after its first use a refresh token still works: for a
// second tab that sent it too, and for a response that was lost.
const reuseGrace = 10 * time.Second

// Family is one sign-in: its first refresh token and all that were rotated from it.
type Family struct {
	ID       int64
	Person   account.Person // as they are now
	ClientID string         // the OAuth client's; "" is the site itself
	Scope    string         // what was granted, as in RFC 6749 section 3.3
}

// IssuedToken is a refresh token as its owner gets it. Token is secret and stored
// nowhere.
type IssuedToken struct {
	Token     string
	ExpiresIn time.Duration
	Family    Family
}

// Manager issues, rotates and revokes refresh tokens. It is safe for concurrent
// use, also by replicas on one database, whose transactions decide between them.
type Manager struct {
	store    Store
	sliding  time.Duration
	absolute time.Duration
	log      *slog.Logger
	now      func() time.Time
}

// NewManager returns a manager of the families in store. A token expires when it
// is not used for sliding, and a family after absolute however much it is used.
// Security events go to log.
func NewManager(store Store, sliding, absolute time.Duration, log *slog.Logger, now func() time.Time) *Manager {
	return &Manager{store: store, sliding: sliding, absolute: absolute, log: log, now: now}
}

// Start starts a family for a person who has just signed in to the site, on a
// device with that name, by the password of that hash. A person who has been
// disabled or got another password meanwhile is an Unauthenticated fault.
func (m *Manager) Start(ctx context.Context, userID int64, hash, device string) (IssuedToken, error) {
	raw, f := m.newFamily()
	f.UserID, f.Password, f.Device = userID, secrets.Digest(hash), device
	family, err := m.store.Start(ctx, f)
	return f.issued(raw, family), refuseUnknown(err)
}

// Rotate gives the next token for one of this client, with the person as they
// are now (RFC 9700 section 4.14.2). It checks:
//   - that the token is known, by its hash, and has not expired
//   - that it was given to this client; if not, nothing happens to it
//   - that the family is not revoked and the person not disabled
//   - that it was not used before, or first used at most 10 s ago; later use
//     means that somebody has a copy, so that the family is revoked
//   - what check checks; if that fails, the token is as good as before
//
// The checks and the change are one transaction. The answer to a failure is one
// Unauthenticated fault or the error of check.
func (m *Manager) Rotate(
	ctx context.Context, raw, clientID string, check func(Family) error,
) (IssuedToken, error) {
	now, next := m.now(), secrets.New()
	var p PresentedToken
	var r Rotation
	var wrong error
	err := m.store.Rotate(ctx, secrets.Digest(raw), now, func(presented PresentedToken) Rotation {
		p, r = presented, m.decide(presented, clientID, next, now)
		if wrong = check(p.Family); r.Next.Hash != nil && wrong != nil {
			return Rotation{}
		}
		return r
	})
	switch {
	case err != nil:
		return IssuedToken{}, refuseUnknown(err)
	case r.RevokeFamily:
		m.log.WarnContext(ctx, "refresh token reused", "user_id", p.Family.Person.ID, "family_id", p.Family.ID)
		return IssuedToken{}, refused()
	case r.Next.Hash == nil:
		return IssuedToken{}, refused()
	case wrong != nil:
		return IssuedToken{}, wrong
	}
	return IssuedToken{Token: next, ExpiresIn: r.Next.ExpiresAt.Sub(now), Family: p.Family}, nil
}

func (m *Manager) decide(p PresentedToken, clientID, next string, now time.Time) Rotation {
	switch {
	case p.Family.ClientID != clientID, p.FamilyRevoked, p.Family.Person.Disabled:
		return Rotation{}
	case !p.UsedAt.IsZero() && now.Sub(p.UsedAt) > reuseGrace:
		return Rotation{RevokeFamily: true}
	default:
		return Rotation{Next: m.stored(next, now, p.FamilyExpiresAt)}
	}
}

// Inspect tells what is stored about a refresh token of the client, and changes
// nothing. One of another client, or that has expired or does not exist, is a
// NotFound fault.
func (m *Manager) Inspect(ctx context.Context, raw, clientID string) (PresentedToken, error) {
	var p PresentedToken
	err := m.store.Rotate(ctx, secrets.Digest(raw), m.now(), func(presented PresentedToken) Rotation {
		p = presented
		return Rotation{}
	})
	if err == nil && p.Family.ClientID != clientID {
		return PresentedToken{}, fault.New(fault.NotFound, "no such refresh token of this client")
	}
	return p, err
}

// RevokeByToken revokes the token's whole family, even if the token was used or
// has expired. An unknown token is no error (RFC 7009 section 2.2).
func (m *Manager) RevokeByToken(ctx context.Context, raw string) error {
	return m.store.RevokeByToken(ctx, secrets.Digest(raw), m.now())
}

// Revoke revokes those of a person's families that are active.
func (m *Manager) Revoke(ctx context.Context, f Filter) error {
	_, err := m.store.Revoke(ctx, f, m.now())
	return err
}

// Revoked are the ids of the families that were revoked within the time until now.
func (m *Manager) Revoked(ctx context.Context, within time.Duration) ([]string, error) {
	return m.store.RevokedSince(ctx, m.now().Add(-within))
}

// AuthTime is when the person signed in to the family that their access token
// names. A family that is revoked or has expired, and a token that names none, is
// an Unauthenticated fault.
func (m *Manager) AuthTime(ctx context.Context, u token.User) (time.Time, error) {
	at, err := m.store.StartedAt(ctx, ID(u), u.ID, u.ClientID, m.now())
	if fault.KindOf(err) == fault.NotFound {
		over := fault.Error{Kind: fault.Unauthenticated, Message: "this session has ended", Code: "invalid_token"}
		return at, over.Because(err)
	}
	return at, err
}

// ID is the id of the family that the person's access token names, 0 if none.
func ID(u token.User) int64 {
	id, _ := strconv.ParseInt(u.Session, 10, 64) // 0 where there is no number
	return id
}

func (m *Manager) newFamily() (raw string, f NewFamily) {
	now, raw := m.now(), secrets.New()
	f = NewFamily{StartedAt: now, ExpiresAt: now.Add(m.absolute)}
	f.First = m.stored(raw, now, f.ExpiresAt)
	return raw, f
}

// issued is the first token, as its owner gets it.
func (f NewFamily) issued(raw string, family Family) IssuedToken {
	return IssuedToken{Token: raw, ExpiresIn: f.First.ExpiresAt.Sub(f.StartedAt), Family: family}
}

func (m *Manager) stored(raw string, now, familyExpiresAt time.Time) StoredToken {
	at := now.Add(m.sliding)
	if at.After(familyExpiresAt) {
		at = familyExpiresAt
	}
	return StoredToken{Hash: secrets.Digest(raw), ExpiresAt: at}
}

// refuseUnknown turns a NotFound fault of the store into the one refusal.
func refuseUnknown(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return refused().Because(err)
	}
	return err
}

func refused() *fault.Error {
	return &fault.Error{
		Kind: fault.Unauthenticated, Code: "invalid_token",
		Message: "the refresh token is no longer valid, sign in again",
	}
}

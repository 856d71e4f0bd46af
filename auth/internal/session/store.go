package session

import (
	"context"
	"time"
)

// StoredToken is what is stored of a refresh token.
type StoredToken struct {
	Hash      []byte // SHA-256
	ExpiresAt time.Time
}

// NewFamily is a family to store, with its first token.
type NewFamily struct {
	UserID    int64
	Password  []byte // SHA-256 of the hash that the person signed in by
	ClientID  string
	Scope     string
	Device    string // "" if it is not known
	StartedAt time.Time
	ExpiresAt time.Time
	First     StoredToken
}

// PresentedToken is what is stored about a refresh token that somebody presents.
type PresentedToken struct {
	Family          Family
	FamilyExpiresAt time.Time
	FamilyRevoked   bool
	UsedAt          time.Time // zero if it was not used yet
}

// Rotation is what is done with a presented token. The zero value changes nothing.
type Rotation struct {
	RevokeFamily bool
	// Next is stored, and the presented token marked as used, unless its Hash is nil.
	Next StoredToken
}

// Filter selects families of a person.
type Filter struct {
	UserID   int64
	ID       int64  // 0 is any
	ClientID string // "" is any
	Except   int64  // 0 is no exception
}

// Store stores families and authorization codes, both by the hash of the secret.
// A family is active while it is not revoked and has not expired.
type Store interface {
	// Start stores a new family of the site. A person who is disabled, has another
	// password or does not exist is a NotFound fault.
	Start(ctx context.Context, f NewFamily) (Family, error)
	// Rotate does what decide says about the token with that hash, in one
	// transaction, while no other change of its family runs. A token that has
	// expired or does not exist is a NotFound fault.
	Rotate(ctx context.Context, hash []byte, now time.Time, decide func(PresentedToken) Rotation) error
	// RevokeByToken revokes the family of the token with that hash, if there is one.
	RevokeByToken(ctx context.Context, hash []byte, now time.Time) error
	// Revoke revokes active families, and tells how many.
	Revoke(ctx context.Context, f Filter, now time.Time) (int64, error)
	// RevokedSince gives the ids of the families, anybody's, that were revoked after since.
	RevokedSince(ctx context.Context, since time.Time) ([]string, error)
	// StartedAt is when an active family of that person and client started. One
	// that is not active, or of a disabled person, is a NotFound fault.
	StartedAt(ctx context.Context, id, userID int64, clientID string, now time.Time) (time.Time, error)
	// Sessions gives up to limit families of the person with a token that can still be
	// used, the latest used first.
	Sessions(ctx context.Context, userID int64, limit int, now time.Time) ([]Session, error)
	// SaveCode stores a new code, with what the person's password is.
	SaveCode(ctx context.Context, hash []byte, c Code, now time.Time) error
	// Approved reports whether a family is active that was given for a code of the same
	// person, client and approving sign-in, with all of the scope of c.
	Approved(ctx context.Context, c Code, now time.Time) (bool, error)
	// ExchangeCode starts f, with the person, client and scope of an unused code, if
	// check is nil for it, and marks the code as used: both or neither. If the code
	// was used before, it revokes the family that it gave, and reused is true. An
	// unknown code, and one whose approving sign-in or password is over, is a NotFound
	// fault.
	ExchangeCode(ctx context.Context, hash []byte, f NewFamily, check func(Code) error) (
		family Family, c Code, reused bool, err error)
}

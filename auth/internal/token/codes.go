package token

import (
	"context"
	"time"

	"craftista/shared/fault"
)

// codeLifetime is how long an authorization code may be redeemed. RFC 6749
// section 4.1.2 allows ten minutes at most.
const codeLifetime = time.Minute

// Code is what an authorization code stands for.
type Code struct {
	ClientID    string
	UserID      int64
	RedirectURI string
	Scope       string    // what the person granted
	Nonce       string    // the client's, for the ID token
	Challenge   string    // S256 (RFC 7636 section 4.2)
	AuthTime    time.Time // when the person signed in
	Expires     time.Time
}

// CodeStore keeps authorization codes, by their hash.
type CodeStore interface {
	// KeepCode keeps a new code.
	KeepCode(ctx context.Context, hash []byte, c Code, now time.Time) error
	// Redeem starts the family that an unused code gives if check finds nothing
	// wrong, and marks the code: both or neither. If the code was used before, it
	// revokes the family that it gave, and reused is true. An unknown code is a
	// NotFound fault.
	Redeem(ctx context.Context, hash []byte, now, ends time.Time, first Kept, check func(Code) error) (f Family, c Code, reused bool, err error)
	// Began tells when a live family of that person and client began. One that is
	// revoked, has ended or is somebody's who is disabled is a NotFound fault.
	Began(ctx context.Context, id, userID int64, clientID string, now time.Time) (time.Time, error)
	// End revokes that family of the person and client, or with 0 all of theirs.
	End(ctx context.Context, id, userID int64, clientID string, now time.Time) error
}

// NewCode returns a code, 256 random bits, that may be redeemed once within a
// minute. Its Expires is set here.
func (f *Families) NewCode(ctx context.Context, c Code) (string, error) {
	now, raw := f.now(), newToken()
	c.Expires = now.Add(codeLifetime)
	return raw, f.store.KeepCode(ctx, digest(raw), c, now)
}

// Redeem begins the family that a code was given for. It checks:
//   - that the code is known, by its hash
//   - that it was not redeemed before; if it was, what it gave is revoked,
//     whoever asks: somebody has a copy (RFC 6749 section 4.1.2)
//   - that its minute is not over
//   - what check checks: the client, the redirect URI and the verifier
//   - that the person is not disabled
//
// All of it is one transaction. The answer to a failure is an Unauthenticated
// fault or the error of check.
func (f *Families) Redeem(ctx context.Context, raw string, check func(Code) error) (Refresh, Code, error) {
	now, token := f.now(), newToken()
	ends := now.Add(f.absolute)
	first := f.kept(token, now, ends)
	family, code, reused, err := f.store.Redeem(ctx, digest(raw), now, ends, first, func(c Code) error {
		if !now.Before(c.Expires) {
			return refused()
		}
		return check(c)
	})
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return Refresh{}, Code{}, refused().Because(err)
	case err != nil:
		return Refresh{}, Code{}, err
	case reused:
		f.log.WarnContext(ctx, "authorization code reused", "user_id", code.UserID, "client_id", code.ClientID)
		return Refresh{}, Code{}, refused()
	}
	return Refresh{Token: token, ExpiresIn: first.Ends.Sub(now), Family: family}, code, nil
}

// Began tells when the person began the sign-in with that id, at that client. One
// that is over is an Unauthenticated fault.
func (f *Families) Began(ctx context.Context, id, userID int64, clientID string) (time.Time, error) {
	at, err := f.store.Began(ctx, id, userID, clientID, f.now())
	if fault.KindOf(err) == fault.NotFound {
		return at, (&fault.Error{Kind: fault.Unauthenticated, Message: "this sign-in is over", Code: "invalid_token"}).Because(err)
	}
	return at, err
}

// End revokes the person's family with that id at the client, or all of theirs at
// the client if it is 0.
func (f *Families) End(ctx context.Context, userID int64, clientID string, id int64) error {
	return f.store.End(ctx, id, userID, clientID, f.now())
}

// Look tells what is known of a refresh token of the client, and changes nothing.
// One of another client, or that has ended or never was, is a NotFound fault.
func (f *Families) Look(ctx context.Context, raw, clientID string) (Presented, error) {
	var p Presented
	err := f.store.Rotate(ctx, digest(raw), f.now(), func(presented Presented) Decision {
		p = presented
		return Decision{}
	})
	if err == nil && p.Family.ClientID != clientID {
		return Presented{}, fault.New(fault.NotFound, "no such refresh token of this client")
	}
	return p, err
}

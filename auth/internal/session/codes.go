package session

import (
	"context"
	"time"

	"craftista/auth/internal/secrets"
)

// codeLifetime is how long an authorization code can be exchanged. RFC 6749
// section 4.1.2 allows ten minutes at most.
const codeLifetime = time.Minute

// Code is what an authorization code stands for.
type Code struct {
	ClientID    string
	UserID      int64
	ApprovedBy  int64 // the family of the site that the person approved it in
	RedirectURI string
	Scope       string    // what the person granted
	Nonce       string    // the client's, for the ID token
	Challenge   string    // S256 (RFC 7636 section 4.2)
	AuthTime    time.Time // when the person signed in
	ExpiresAt   time.Time
}

// IssueCode returns a code, 256 random bits, that can be exchanged once within a
// minute. It sets the ExpiresAt of c.
func (m *Manager) IssueCode(ctx context.Context, c Code) (string, error) {
	now, raw := m.now(), secrets.New()
	c.ExpiresAt = now.Add(codeLifetime)
	return raw, m.store.SaveCode(ctx, secrets.Digest(raw), c, now)
}

// Approved reports whether the person approved as much for the client before, in the
// sign-in that ApprovedBy names, and the family that came of it is active.
func (m *Manager) Approved(ctx context.Context, c Code) (bool, error) {
	return m.store.Approved(ctx, c, m.now())
}

// ExchangeCode starts the family that a code was given for. It checks:
//   - that the code is known, by its hash
//   - that it was not exchanged before; if it was, the family that it gave is
//     revoked, whoever asks: somebody has a copy (RFC 6749 section 4.1.2)
//   - that it has not expired
//   - what check checks: the client, the redirect URI and the verifier
//   - that the person is not disabled and has the password of when they approved it
//   - that the sign-in that they approved it in is active
//
// All of it is one transaction. The answer to a failure is an Unauthenticated
// fault or the error of check.
func (m *Manager) ExchangeCode(ctx context.Context, raw string, check func(Code) error) (IssuedToken, Code, error) {
	refresh, f := m.newFamily()
	family, code, reused, err := m.store.ExchangeCode(ctx, secrets.Digest(raw), f, func(c Code) error {
		if !f.StartedAt.Before(c.ExpiresAt) {
			return refused()
		}
		return check(c)
	})
	switch {
	case err != nil:
		return IssuedToken{}, Code{}, refuseUnknown(err)
	case reused:
		m.log.WarnContext(ctx, "authorization code reused", "user_id", code.UserID, "client_id", code.ClientID)
		return IssuedToken{}, Code{}, refused()
	}
	return f.issued(refresh, family), code, nil
}

package session

import (
	"context"
	"time"

	"craftista/shared/fault"
)

// MaxSessions is how many sessions are listed at most, the latest used. All can
// be revoked, listed or not.
const MaxSessions = 100

// Session is an active family as its person sees it.
type Session struct {
	ID         int64
	CreatedAt  time.Time
	LastUsedAt time.Time // when it last got tokens
	Device     string    // such as "Firefox on Linux"; "" if it is not known
	ClientName string    // of the OAuth client; "" is the site itself
	Scope      string    // what the person let that client do
}

// List gives the person's active families, those of OAuth clients too, the latest
// used first, MaxSessions at most.
func (m *Manager) List(ctx context.Context, userID int64) ([]Session, error) {
	return m.store.Sessions(ctx, userID, MaxSessions, m.now())
}

// RevokeOne revokes one of the person's families. One that is somebody else's, not
// active or does not exist is a NotFound fault.
func (m *Manager) RevokeOne(ctx context.Context, userID, id int64) error {
	n, err := m.store.Revoke(ctx, Filter{UserID: userID, ID: id}, m.now())
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "you have no session %d", id)
	}
	m.log.InfoContext(ctx, "session ended", "user_id", userID, "family_id", id)
	return nil
}

// RevokeOthers revokes all of the person's families except one.
func (m *Manager) RevokeOthers(ctx context.Context, userID, except int64) error {
	if err := m.Revoke(ctx, Filter{UserID: userID, Except: except}); err != nil {
		return err
	}
	m.log.InfoContext(ctx, "other sessions ended", "user_id", userID, "family_id", except)
	return nil
}

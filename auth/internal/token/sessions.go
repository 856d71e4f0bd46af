package token

import (
	"context"
	"time"

	"craftista/shared/fault"
)

// MaxSessions is how many sessions are listed at most, the latest used. All can
// be ended, listed or not.
const MaxSessions = 100

// Session is a live family as its person sees it.
type Session struct {
	ID         int64
	CreatedAt  time.Time
	LastUsedAt time.Time // when it last got tokens
	Device     string    // what it is known by, such as "Firefox on Linux"; "" if that is not known
	ClientName string    // of the OAuth client; "" is the site itself
}

// SessionStore lets people look after their families.
type SessionStore interface {
	// Sessions gives up to limit live families of the person, the latest used
	// first. One is live while a token of it can be used.
	Sessions(ctx context.Context, userID int64, limit int, now time.Time) ([]Session, error)
	// EndSession revokes a live family of the person; none such is a NotFound fault.
	EndSession(ctx context.Context, id, userID int64, now time.Time) error
	// EndOthers revokes all families of the person but keep.
	EndOthers(ctx context.Context, userID, keep int64) error
}

// Sessions are the person's live families, those of OAuth clients too, the latest
// used first, MaxSessions at most.
func (f *Families) Sessions(ctx context.Context, userID int64) ([]Session, error) {
	return f.store.Sessions(ctx, userID, MaxSessions, f.now())
}

// EndSession revokes one of the person's families. One that is somebody else's,
// over or never was is a NotFound fault.
func (f *Families) EndSession(ctx context.Context, userID, id int64) error {
	err := f.store.EndSession(ctx, id, userID, f.now())
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return fault.New(fault.NotFound, "you have no session %d", id).Because(err)
	case err == nil:
		f.log.InfoContext(ctx, "session ended", "user_id", userID, "family_id", id)
	}
	return err
}

// EndOthers revokes all of the person's families but keep.
func (f *Families) EndOthers(ctx context.Context, userID, keep int64) error {
	err := f.store.EndOthers(ctx, userID, keep)
	if err == nil {
		f.log.InfoContext(ctx, "other sessions ended", "user_id", userID, "family_id", keep)
	}
	return err
}

package account

import (
	"context"
	"errors"
	"time"

	"craftista/shared/token"
)

// The times of a deletion.
const (
	nameReserved = 30 * 24 * time.Hour // so that nobody is taken for who had the name
	forgetEvery  = time.Minute         // those that could not be forgotten before are tried again
	forgetAtOnce = 100                 // people, in one round
)

// Deleted is somebody who deleted their account.
type Deleted struct {
	ID        int64
	DeletedAt time.Time
}

// DeletionStore stores who is deleted and whom the catalogue has to forget.
type DeletionStore interface {
	// Delete disables the person whose password has that hash and takes from them what tells who they were, but for the
	// name; it revokes their families, deletes codes and mail tokens, and has them forgotten from now on: all or
	// nothing. If the hash is another one, or they are the last admin, that is a Conflict fault.
	Delete(ctx context.Context, id int64, hash string, now time.Time) error
	// ToForget gives up to limit of the deleted people whom the catalogue is to forget by now.
	ToForget(ctx context.Context, now time.Time, limit int) ([]Deleted, error)
	// ForgetAgain has the person forgotten once more at next; zero is never.
	ForgetAgain(ctx context.Context, id int64, next time.Time) error
	// Purge deletes those who were deleted by then and are forgotten: the names are free.
	Purge(ctx context.Context, by time.Time) error
}

// Deletions deletes accounts, and has the catalogue forget whom they were of, however long it is unavailable. It is
// safe for concurrent use; replicas may do the same at once.
type Deletions struct {
	accounts *Accounts
	store    DeletionStore
	forget   func(context.Context, Person) error
	settle   time.Duration
	now      func() time.Time
	wake     chan struct{}
}

// NewDeletions returns the deletions of those accounts. forget takes the person's votes back; it may be repeated. After
// settle no access token of theirs is good anywhere, so that it is done once more then, for votes that came meanwhile.
func NewDeletions(
	accounts *Accounts, store DeletionStore, forget func(context.Context, Person) error, settle time.Duration,
	now func() time.Time,
) *Deletions {
	return &Deletions{
		accounts: accounts, store: store, forget: forget, settle: settle, now: now, wake: make(chan struct{}, 1),
	}
}

// Delete deletes the person's account, if the password is theirs. It checks what ChangePassword does about that, and
// that another admin is left. Errors are those of ChangePassword, and Conflict for the last admin. Run does the rest.
func (d *Deletions) Delete(ctx context.Context, from string, id int64, password string) error {
	p, hash, err := d.accounts.enabled(ctx, id)
	if err != nil {
		return err
	}
	if err := d.accounts.askPassword(ctx, from, p, hash, "password", password); err != nil {
		return err
	}
	if err := d.store.Delete(ctx, id, hash, d.now()); err != nil {
		return err
	}
	d.accounts.log.WarnContext(ctx, "account deleted", "user_id", id)
	select {
	case d.wake <- struct{}{}:
	default: // a round will follow anyway
	}
	return nil
}

// Run has deleted people forgotten, soon after each deletion and every minute, until ctx is done.
func (d *Deletions) Run(ctx context.Context) {
	ticker := time.NewTicker(forgetEvery)
	defer ticker.Stop()
	for {
		if err := d.Round(ctx); err != nil && ctx.Err() == nil {
			d.accounts.log.WarnContext(ctx, "a deleted account is not forgotten yet", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-d.wake:
		case <-ticker.C:
		}
	}
}

// Round has those forgotten who are to be, and frees names.
func (d *Deletions) Round(ctx context.Context) error {
	now := d.now()
	people, err := d.store.ToForget(ctx, now, forgetAtOnce)
	if err != nil {
		return err
	}
	for _, p := range people {
		next := p.DeletedAt.Add(d.settle)
		if !now.Before(next) {
			next = time.Time{}
		}
		failed := d.forget(ctx, Person{ID: p.ID, Role: token.RoleUser})
		if failed == nil {
			failed = d.store.ForgetAgain(ctx, p.ID, next)
		}
		err = errors.Join(err, failed)
	}
	return errors.Join(err, d.store.Purge(ctx, now.Add(-nameReserved)))
}

package keys

import (
	"context"
	"fmt"
	"time"
)

// Rotate adds a key that signs from activation on, rounded up to the second, and
// removes those that no valid token can name (see New for retention). If there is
// no key, the new one is the first and signs at once. It returns their times.
// Running services load them by Watch.
//
// The activation must be longer than verifiers cache keys, or they get a token by
// a key that they do not have. They do ask for an unknown one, but once a minute
// at most, and a stranger's invented kids can use that up.
//
// Of two that rotate within one second, the second gets an error, and there is one
// new key. Otherwise each makes its own, which is safe too.
func (s *Set) Rotate(ctx context.Context, activation time.Duration) (added time.Time, removed []time.Time, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("rotate signing keys: %w", err)
		}
	}()
	all, err := s.list(ctx)
	if err == nil {
		_, err = s.load(all) // by another secret, the new key would be of no use to those who have this one
	}
	if err != nil {
		return added, nil, err
	}
	now := time.Now().UTC()
	added = now.Add(activation + time.Second - 1).Truncate(time.Second)
	if len(all) == 0 {
		added = first
	}
	if fresh, err := s.create(ctx, added); err != nil || !fresh {
		if err == nil {
			err = fmt.Errorf("another rotation has just made the key of %s", added.Format(time.RFC3339))
		}
		return added, nil, err
	}
	for _, k := range all {
		if k.published(now) {
			continue
		}
		if err := s.store.RemoveSigningKey(ctx, k.From); err != nil {
			return added, removed, err
		}
		removed = append(removed, k.From)
	}
	return added, removed, nil
}

// List tells what there is, the newest key first. It makes nothing.
func (s *Set) List(ctx context.Context) ([]Key, error) {
	all, err := s.list(ctx)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	loaded, err := s.load(all)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	now := time.Now()
	signing := signer(all, now)
	for i := range all {
		k := &all[i]
		k.Kid, k.State = loaded.kids[i], "expired"
		switch {
		case i < signing:
			k.State = "waits"
		case i == signing:
			k.State = "signs"
		case k.published(now):
			k.State = "verifies"
		}
	}
	return all, nil
}

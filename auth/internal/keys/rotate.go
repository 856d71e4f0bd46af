package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Rotate adds a key to dir that signs from activation on, rounded up to the
// second, and removes those that no valid token can name (see Open for retention).
// If dir has no key, the new one is the first and signs at once. It returns the
// names of the files. Running services load them by Watch.
//
// The activation must be longer than verifiers cache keys, or they get a token by
// a key that they do not have. They do ask for an unknown one, but once a minute
// at most, and a stranger's invented kids can use that up.
//
// Of two processes that rotate within one second, the second gets an error, and
// there is one new key. Otherwise each makes its own, which is safe too.
func Rotate(dir string, activation, retention time.Duration) (added string, removed []string, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("rotate signing keys: %w", err)
		}
	}()
	all, err := list(dir, retention)
	if err != nil {
		return "", nil, err
	}
	now := time.Now().UTC()
	added = now.Add(activation + time.Second - 1).Format(layout)
	if len(all) == 0 {
		added = firstName
	}
	if err := create(dir, added); errors.Is(err, fs.ErrExist) {
		return "", nil, fmt.Errorf("another rotation has just made %s", added)
	} else if err != nil {
		return "", nil, err
	}
	for _, k := range all {
		if k.published(now) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, k.File)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return added, removed, err
		}
		removed = append(removed, k.File)
	}
	return added, removed, nil
}

// List tells what dir contains, the newest key first. It makes nothing.
func List(dir string, retention time.Duration) ([]Key, error) {
	all, err := list(dir, retention)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	loaded, err := load(dir, all)
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

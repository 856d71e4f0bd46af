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
	all, err := list(dir)
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
	for _, e := range all {
		if e.published(now, retention) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return added, removed, err
		}
		removed = append(removed, e.name)
	}
	return added, removed, nil
}

// Status is a key file, and what services do with it.
type Status struct {
	File  string
	Kid   string
	State string    // waits, signs, verifies (tokens made before) or expired
	From  time.Time // signs from then on; zero is from the start
	Until time.Time // published up to then; zero is without an end
}

// List tells what dir contains, the newest key first. It makes nothing.
func List(dir string, retention time.Duration) ([]Status, error) {
	all, err := list(dir)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	loaded, err := load(dir, all)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	now := time.Now()
	var states []Status
	for i, e := range all {
		s := Status{File: e.name, Kid: loaded.kids[i], State: "expired", From: e.from}
		if !e.until.IsZero() {
			s.Until = e.until.Add(retention)
		}
		switch signing := signer(all, now); {
		case i < signing:
			s.State = "waits"
		case i == signing:
			s.State = "signs"
		case e.published(now, retention):
			s.State = "verifies"
		}
		states = append(states, s)
	}
	return states, nil
}

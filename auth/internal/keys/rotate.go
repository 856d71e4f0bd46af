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
// second, and removes those that no live token can name (see Open for keep). If
// dir holds no key, the new one is the first and signs at once. It returns the
// names of the files. Services need not be told: their Watch sees it.
//
// The activation must outlast what verifiers may hold, or a token by the new key
// meets verifiers that have seen no such key. They do ask for an unknown one, but
// once a minute at most, and a stranger's invented kids can use that up.
//
// Two processes that rotate within one second make one key, and the later of
// them is told so; otherwise each makes its own, and all is well too.
func Rotate(dir string, activation, keep time.Duration) (added string, removed []string, err error) {
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
		if e.live(now, keep) {
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

// List tells what dir holds, the newest key first. It makes nothing.
func List(dir string, keep time.Duration) ([]Status, error) {
	all, err := list(dir)
	if err != nil {
		return nil, fmt.Errorf("list signing keys: %w", err)
	}
	now := time.Now()
	var states []Status
	signing := false
	for i, e := range all {
		key, err := read(filepath.Join(dir, e.name))
		if err != nil {
			return nil, fmt.Errorf("list signing keys: %w", err)
		}
		s := Status{File: e.name, Kid: thumbprint(&key.PublicKey), From: e.from}
		if !e.until.IsZero() {
			s.Until = e.until.Add(keep)
		}
		switch {
		case !signing && (!e.from.After(now) || i == len(all)-1):
			s.State, signing = "signs", true
		case e.from.After(now):
			s.State = "waits"
		case e.live(now, keep):
			s.State = "verifies"
		default:
			s.State = "expired"
		}
		states = append(states, s)
	}
	return states, nil
}

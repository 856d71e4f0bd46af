package keys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"
)

// A key's file is named for the time from which it signs, and a key signs until
// the next one does. So the whole schedule is in the names: every replica reads
// the same, and it survives restarts, copies, archives and mounts, which times in
// the file system or in a process do not.
const (
	suffix    = ".pem"
	firstName = "key-0001" + suffix // signs from the start, when there is no other
	layout    = "key-20060102T150405Z" + suffix
)

// Key is a key's file, and what services do with it.
type Key struct {
	File  string
	From  time.Time // signs from then on; zero is from the start
	Until time.Time // published up to then; zero is without an end
	Kid   string    // of List only, and so the next
	State string    // waits, signs, verifies (tokens made before) or expired
}

// published reports whether a token by the key can be valid at now.
func (k Key) published(now time.Time) bool { return k.Until.IsZero() || now.Before(k.Until) }

// signer is the index of the key that signs at now: the newest that has started,
// or the oldest if none has.
func signer(newestFirst []Key, now time.Time) int {
	i := 0
	for i < len(newestFirst)-1 && newestFirst[i].From.After(now) {
		i++
	}
	return i
}

// list reads the schedule, the newest key first: a key stays published for retention
// after the next one began to sign. No directory is no keys. It checks:
//   - that dir is open to its owner only, since who can write there signs as
//     anybody
//   - that each file that ends in .pem has a name that says when it signs
func list(dir string, retention time.Duration) ([]Key, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	if err := ownerOnly(dir, info); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var all []Key
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), suffix) {
			continue
		}
		from, err := time.Parse(layout, file.Name())
		if err != nil && file.Name() != firstName {
			return nil, fmt.Errorf("%s in %s has no name for a key: %s, or %s for one that signs from then on",
				file.Name(), dir, firstName, layout)
		}
		all = append(all, Key{File: file.Name(), From: from})
	}
	slices.SortFunc(all, func(a, b Key) int { return b.From.Compare(a.From) })
	for i := 1; i < len(all); i++ {
		all[i].Until = all[i-1].From.Add(retention)
	}
	return all, nil
}

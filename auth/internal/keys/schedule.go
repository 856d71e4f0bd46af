package keys

import (
	"context"
	"time"
)

// Key is a signing key, and what services do with it. It signs from its time until
// the next one does: the whole schedule is in the store, and every replica reads the same.
type Key struct {
	From   time.Time // signs from then on; first is from the start
	Until  time.Time // published up to then; zero is without an end
	Kid    string    // of List only, and so the next
	State  string    // waits, signs, verifies (tokens made before) or expired
	sealed string
}

// first is the time of the first key, so that of replicas that start at once one makes it.
var first = time.Unix(0, 0).UTC()

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
// after the next one began to sign.
func (s *Set) list(ctx context.Context) ([]Key, error) {
	stored, err := s.store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	var all []Key
	for i, k := range stored {
		key := Key{From: k.From, sealed: string(k.Bytes)}
		if i > 0 {
			key.Until = stored[i-1].From.Add(s.retention)
		}
		all = append(all, key)
	}
	return all, nil
}

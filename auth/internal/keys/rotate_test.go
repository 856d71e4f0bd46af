package keys_test

import (
	"bytes"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/keys"

	"github.com/golang-jwt/jwt/v5"
)

var start = time.Unix(0, 0).UTC() // the time of the first key

// TestAKeyIsPublishedThenSignsThenRetires goes through the life of a key on two
// replicas, one that runs on and one that starts anew at every step.
func TestAKeyIsPublishedThenSignsThenRetires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		running := openKeys(t, store)
		watch(t, running, &bytes.Buffer{})
		old := kids(t, running)[0]
		early := sign(t, running)

		added, removed, err := running.Rotate(t.Context(), activation)
		if want := time.Now().Add(activation); err != nil || !added.Equal(want) || removed != nil {
			t.Fatalf("rotate: %s, removed %v, error %v; want %s", added, removed, err, want)
		}
		next := kids(t, replica(t, store))[0]
		if next == old {
			t.Fatal("the new key is not published first")
		}
		for _, step := range []struct {
			name   string
			after  time.Duration
			signer string
			want   []string // published
		}{
			{"noticed", interval, old, []string{next, old}},
			{"just before it signs", activation - interval - time.Second, old, []string{next, old}},
			{"it signs", time.Second, next, []string{next, old}},
			{"just before the old one goes", retention - time.Second, next, []string{next, old}},
			{"the old one is gone", time.Second + interval, next, []string{next}},
			{"an hour later", time.Hour, next, []string{next}},
		} {
			advance(step.after)
			for name, set := range map[string]*keys.Set{"running": running, "fresh": replica(t, store)} {
				equal(t, step.name+", published by the replica "+name, kids(t, set), step.want)
				equal(t, step.name+", signer of the replica "+name, signerOf(t, set, sign(t, set)), step.signer)
				if _, err := jwt.Parse(early, set.KeyfuncCtx(t.Context())); (err == nil) != (len(step.want) == 2) {
					t.Errorf("%s, %s: a token by the old key: %v", step.name, name, err)
				}
			}
		}
	})
}

func TestRotateRemovesWhatNoTokenCanName(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		set := openKeys(t, &memory{})
		first, _ := rotate(t, set) // there is no key yet, so it need not wait
		second, removed := rotate(t, set)
		if !first.Equal(start) || removed != nil {
			t.Errorf("first %s, then removed %v", first, removed)
		}
		advance(activation + retention - time.Second)
		third, removed := rotate(t, set)
		if removed != nil {
			t.Errorf("removed %v while a token may name it", removed)
		}
		wantStates(t, set, state{third, "waits"}, state{second, "signs"}, state{first, "verifies"})
		advance(time.Second)
		wantStates(t, set, state{third, "waits"}, state{second, "signs"}, state{first, "expired"})
		fourth, removed := rotate(t, set)
		equal(t, "removed", removed, []time.Time{first})
		wantStates(t, set, state{fourth, "waits"}, state{third, "waits"}, state{second, "signs"})
	})
}

func TestRotateAtOnceMakesOneKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { // all within one second, then
		store := &memory{}
		replica(t, store)
		var told atomic.Int32
		atOnce(func() {
			if _, _, err := openKeys(t, store).Rotate(t.Context(), activation); err != nil {
				if !strings.Contains(err.Error(), "rotate signing keys: another rotation has just made the key of ") {
					t.Error(err)
				}
				told.Add(1)
			}
		})
		if n := told.Load(); n != 7 || len(store.all) != 2 {
			t.Errorf("%d of 8 were told, and there are %d keys; want 7 and two", n, len(store.all))
		}
	})
}

func TestRotateNeedsTheSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &memory{}
		replica(t, store)
		other, err := keys.New(store, "another", retention)
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = other.Rotate(t.Context(), activation)
		wantError(t, err, "rotate signing keys: the key of 1970-01-01T00:00:00Z was sealed with another KEYS_SECRET, "+
			"or changed since")
		equal(t, "keys", len(store.all), 1)
	})
}

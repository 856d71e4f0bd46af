package keys_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"craftista/auth/internal/keys"

	"github.com/golang-jwt/jwt/v5"
)

// TestAKeyIsPublishedThenSignsThenRetires goes through the life of a key on two
// replicas, one that runs on and one that starts anew at every step.
func TestAKeyIsPublishedThenSignsThenRetires(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		running := openKeys(t, dir)
		watch(t, running, slog.New(slog.DiscardHandler))
		old := kids(t, running)[0]
		early := sign(t, running)

		added, removed, err := keys.Rotate(dir, activation, retention)
		want := time.Now().Add(activation).UTC().Format("key-20060102T150405Z.pem")
		if err != nil || added != want || removed != nil {
			t.Fatalf("rotate: %s, removed %v, error %v; want %s", added, removed, err, want)
		}
		next := kids(t, openKeys(t, dir))[0] // which refuses a file that others can read
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
			for replica, set := range map[string]*keys.Set{"running": running, "fresh": openKeys(t, dir)} {
				equal(t, step.name+", published by the replica "+replica, kids(t, set), step.want)
				equal(t, step.name+", signer of the replica "+replica, signerOf(t, set, sign(t, set)), step.signer)
				if _, err := jwt.Parse(early, set.KeyfuncCtx(t.Context())); (err == nil) != (len(step.want) == 2) {
					t.Errorf("%s, %s: a token by the old key: %v", step.name, replica, err)
				}
			}
		}
	})
}

func TestRotateRemovesWhatNoTokenCanName(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		first, _ := rotate(t, dir) // there is no key yet, so it need not wait
		second, removed := rotate(t, dir)
		if first != "key-0001.pem" || removed != nil {
			t.Errorf("first %s, then removed %v", first, removed)
		}
		advance(activation + retention - time.Second)
		third, removed := rotate(t, dir)
		if removed != nil {
			t.Errorf("removed %v while a token may name it", removed)
		}
		wantStates(t, dir, [][2]string{{third, "waits"}, {second, "signs"}, {first, "verifies"}})
		advance(time.Second)
		wantStates(t, dir, [][2]string{{third, "waits"}, {second, "signs"}, {first, "expired"}})
		fourth, removed := rotate(t, dir)
		equal(t, "removed", removed, []string{first})
		wantStates(t, dir, [][2]string{{fourth, "waits"}, {third, "waits"}, {second, "signs"}})
	})
}

func TestRotateAtOnceMakesOneKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) { // all within one second, then
		openKeys(t, dir)
		var mu sync.Mutex // guards told
		var told int
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, _, err := keys.Rotate(dir, activation, retention); err != nil {
					if !strings.Contains(err.Error(), "rotate signing keys: another rotation has just made key-") {
						t.Error(err)
					}
					mu.Lock()
					told++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if files := names(t, dir); told != 7 || len(files) != 2 {
			t.Errorf("%d of 8 were told, files %v; want 7 and two files", told, files)
		}
	})
}

func TestRotateRefusesALooseDirectory(t *testing.T) {
	t.Parallel()
	dir := directory(t)
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	_, _, err := keys.Rotate(dir, activation, retention)
	wantError(t, err, "has mode 0750, and signing keys must be open to their owner only: chmod 0700 "+dir)
	if files := names(t, dir); files != nil {
		t.Errorf("it made %v", files)
	}
}

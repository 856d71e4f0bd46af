package keys_test

import (
	"bytes"
	"context"
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
	"github.com/google/go-cmp/cmp"
)

const (
	activation = 20 * time.Minute
	interval   = 2 * time.Second
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

		added, removed, err := keys.Rotate(dir, activation, keep)
		if want := time.Now().Add(activation).UTC().Format("key-20060102T150405Z.pem"); err != nil || added != want || removed != nil {
			t.Fatalf("rotate: %s, removed %v, error %v; want %s", added, removed, err, want)
		}
		info, err := os.Stat(filepath.Join(dir, added))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the new file: %v, error %v; want mode 0600", info, err)
		}
		next := kids(t, openKeys(t, dir))[0]
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
			{"just before the old one goes", keep - time.Second, next, []string{next, old}},
			{"the old one is gone", time.Second + interval, next, []string{next}},
			{"an hour later", time.Hour, next, []string{next}},
		} {
			<-time.After(step.after)
			synctest.Wait() // the watch has looked
			for replica, set := range map[string]*keys.Set{"running": running, "fresh": openKeys(t, dir)} {
				if diff := cmp.Diff(kids(t, set), step.want); diff != "" {
					t.Errorf("%s, %s: published (-got +want):\n%s", step.name, replica, diff)
				}
				if got := signerOf(t, set, sign(t, set)); got != step.signer {
					t.Errorf("%s, %s: %s signs, want %s", step.name, replica, got, step.signer)
				}
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
		<-time.After(activation + keep - time.Second)
		third, removed := rotate(t, dir)
		if removed != nil {
			t.Errorf("removed %v while a token may name it", removed)
		}
		wantStates(t, dir, [][2]string{{third, "waits"}, {second, "signs"}, {first, "verifies"}})
		<-time.After(time.Second)
		wantStates(t, dir, [][2]string{{third, "waits"}, {second, "signs"}, {first, "expired"}})
		fourth, removed := rotate(t, dir)
		if diff := cmp.Diff(removed, []string{first}); diff != "" {
			t.Errorf("removed (-got +want):\n%s", diff)
		}
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
				if _, _, err := keys.Rotate(dir, activation, keep); err != nil {
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
	_, _, err := keys.Rotate(dir, activation, keep)
	if err == nil || !strings.HasSuffix(err.Error(), "has mode 0750, and signing keys must be open to their owner only: chmod 0700 "+dir) {
		t.Errorf("got %v", err)
	}
	if files := names(t, dir); files != nil {
		t.Errorf("it made %v", files)
	}
}

// TestWatchWorksOnWithWhatItHas puts a key that others can read beside the good
// one, and then takes it away.
func TestWatchWorksOnWithWhatItHas(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "keys")
	synctest.Test(t, func(t *testing.T) {
		set := openKeys(t, dir)
		before := string(set.JWKS())
		logged := &log{}
		watch(t, set, slog.New(slog.NewTextHandler(logged, nil)))
		put(t, dir, "key-20000101T000000Z.pem", 0o644, rsaKey(t, 2048))
		<-time.After(10 * interval)
		synctest.Wait()
		if diff := cmp.Diff(string(set.JWKS()), before); diff != "" {
			t.Errorf("JWK Set (-got +want):\n%s", diff)
		}
		if got := strings.Count(logged.String(), "signing keys cannot be read"); got != 1 || !strings.Contains(logged.String(), "has mode 0644") {
			t.Errorf("%d complaints, want 1 that names the mode:\n%s", got, logged.String())
		}
		if err := os.Chmod(filepath.Join(dir, "key-20000101T000000Z.pem"), 0o600); err != nil {
			t.Fatal(err)
		}
		<-time.After(interval)
		synctest.Wait()
		if got := len(kids(t, set)); got != 2 || !strings.Contains(logged.String(), "signing keys changed") {
			t.Errorf("%d keys once it is mended, want 2:\n%s", got, logged.String())
		}
	})
}

// log is what was logged.
type log struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// watch runs until the test of the bubble ends.
func watch(t *testing.T, set *keys.Set, log *slog.Logger) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { set.Watch(ctx, interval, log) })
	t.Cleanup(func() { stop(); done.Wait() })
}

// rotate must work.
func rotate(t *testing.T, dir string) (added string, removed []string) {
	t.Helper()
	added, removed, err := keys.Rotate(dir, activation, keep)
	if err != nil {
		t.Fatal(err)
	}
	return added, removed
}

func wantStates(t *testing.T, dir string, want [][2]string) {
	t.Helper()
	all, err := keys.List(dir, keep)
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]string
	for _, s := range all {
		got = append(got, [2]string{s.File, s.State})
	}
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("states (-got +want):\n%s", diff)
	}
}

func sign(t *testing.T, set *keys.Set) string {
	t.Helper()
	raw, err := set.Sign("at+jwt", jwt.RegisteredClaims{Subject: "1"})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// signerOf is the kid in the token, which set must verify.
func signerOf(t *testing.T, set *keys.Set, raw string) string {
	t.Helper()
	parsed, err := jwt.Parse(raw, set.KeyfuncCtx(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	kid, _ := parsed.Header["kid"].(string)
	if diff := cmp.Diff(parsed.Header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": kid}); diff != "" {
		t.Errorf("header (-got +want):\n%s", diff)
	}
	return kid
}

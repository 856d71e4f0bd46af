package redis_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/product/internal/core"
	"craftista/product/internal/redistest"
)

// lines is a log that is kept.
type lines struct {
	mu  sync.Mutex // guards buf
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// TestOneLineForEachChange: a Redis that is lost, and one that refuses, is in the
// log once, not once for each reader.
func TestOneLineForEachChange(t *testing.T) {
	t.Parallel()
	server, log := redistest.Start(t), &lines{}
	c := openWith(t, server.URL(), time.Second, &register{}, slog.NewTextHandler(log, nil))
	readAs := func(source core.Source) {
		t.Helper()
		id := int64(0)
		until(t, func() bool {
			id++
			_, got, err := c.Fetch(t.Context(), id, gives(`{}`))
			return got == source && err == nil
		})
	}
	for round := 1; round <= 2; round++ {
		readAs(core.Miss)
		server.Kill()
		until(t, func() bool {
			readAs(core.Bypass)
			return log.count("cache lost") == round
		})
		for range 20 {
			readAs(core.Bypass)
		}
		server.Restart()
		until(t, func() bool {
			readAs(core.Miss)
			return log.count("cache back") == round
		})
		server.Do("CONFIG SET maxmemory 1")
		for range 20 {
			fetch(t, c, int64(round)<<40, gives(`{}`), `{}`, core.Bypass)
		}
		server.Do("CONFIG SET maxmemory 0")
		fetch(t, c, int64(round)<<41, gives(`{}`), `{}`, core.Miss)
		if lost, back, refuses := log.count("cache lost"), log.count("cache back"), log.count("cache refuses"); lost != round || back != round || refuses != round {
			t.Errorf("round %d: lost %d times, back %d times, refused %d times", round, lost, back, refuses)
		}
	}
}

// TestWithoutTrustNothingIsKept: while the register cannot be read, or a veto is
// in force, Redis is not asked.
func TestWithoutTrustNothingIsKept(t *testing.T) {
	t.Parallel()
	trust := &register{}
	c := openWith(t, redistest.Start(t).URL(), patience, trust, slog.DiscardHandler)
	fetch(t, c, 1, gives(`{"v":1}`), `{"v":1}`, core.Miss)
	trust.vetoed.Store(true)
	until(t, func() bool {
		_, source, err := c.Fetch(t.Context(), 1, gives(`{"v":2}`))
		return source == core.Bypass && err == nil
	})
	trust.vetoed.Store(false)
	until(t, func() bool {
		_, source, err := c.Fetch(t.Context(), 1, gives(`{"v":2}`))
		return source == core.Hit && err == nil
	})
	fetch(t, c, 1, gives(`{"v":2}`), `{"v":1}`, core.Hit) // of the same epoch, for nobody has voted
	trust.epoch.Add(1)
	until(t, func() bool {
		_, source, err := c.Fetch(t.Context(), 1, gives(`{"v":3}`))
		return source == core.Miss && err == nil
	})
	fetch(t, c, 1, gives(`{"v":4}`), `{"v":3}`, core.Hit)
}

// TestHerdsShareTheNextLoad: who comes while a load runs gets one that began
// later, with all who do; hanging up ends only the waiting.
func TestHerdsShareTheNextLoad(t *testing.T) {
	t.Parallel()
	c := open(t, "redis://"+redistest.FreeAddr(t))
	started, letGo := make(chan struct{}), make(chan struct{})
	var work sync.WaitGroup
	first, hangUp := context.WithCancel(t.Context())
	work.Go(func() {
		_, _, err := c.Fetch(first, 1, func(ctx context.Context) (core.Encoded, error) {
			close(started)
			<-letGo
			return piece(`{"v":1}`), ctx.Err()
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v of the one who hung up", err)
		}
	})
	<-started
	hangUp()
	begun := make(chan struct{}, 100)
	for range 50 {
		work.Go(func() {
			got, source, err := c.Fetch(t.Context(), 1, func(context.Context) (core.Encoded, error) {
				begun <- struct{}{}
				return piece(`{"v":2}`), nil
			})
			if string(got.Body) != `{"v":2}` || source != core.Bypass || err != nil {
				t.Errorf("got %s, %s, %v", got.Body, source, err)
			}
		})
	}
	work.Go(func() {
		if _, _, err := c.Fetch(t.Context(), 2, func(context.Context) (core.Encoded, error) { return core.Encoded{}, io.EOF }); !errors.Is(err, io.EOF) {
			t.Errorf("another piece waits, or gets %v", err)
		}
		close(letGo)
	})
	work.Wait()
	if n := len(begun); n == 0 || n > 25 { // those who came while one load ran shared the next
		t.Errorf("%d loads for 50 readers", n)
	}
}

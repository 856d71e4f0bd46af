package core_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/fault"
)

func TestLiveTellsTheBeginningThenEachChange(t *testing.T) {
	t.Parallel()
	s := newShelf(3)
	s.vote(2)
	live(t, s, func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		all := listen(t, l, 1)
		want(t, "beginning", all.heard(), "1@1 has 0\n3@1 has 0\n2@11 has 1\n")
		some := listen(t, l, 1, 1, 3)
		want(t, "beginning of some", some.heard(), "1@1 has 0\n3@11 has 0\n")
		pass(time.Second)
		s.vote(2)
		l.Change()
		want(t, "a change", all.heard(), "2@12 has 2\n")
		want(t, "a change of another", some.heard(), "")
		pass(time.Second)
		s.vote(3)
		pass(2 * time.Second)
		want(t, "a change that nobody told of", all.heard(), "3@13 has 1\n")
		want(t, "the same", some.heard(), "3@13 has 1\n")
		want(t, "from the last but one", listen(t, l, 12).heard(), "3@13 has 1\n")
		want(t, "from now", listen(t, l, 13).heard(), "")
		want(t, "from a time to come", listen(t, l, 99, 2).heard(), "2@13 has 2\n")
		all.stop()
		if err := <-all.err; err != nil {
			t.Errorf("a listener who went: %v", err)
		}
	})
}

// TestLivePages: more than one look holds, and a change between two of them.
func TestLivePages(t *testing.T) {
	t.Parallel()
	s := newShelf(600)
	live(t, s, func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		counts := map[string]int{}
		ctx, stop := context.WithCancel(t.Context())
		sends := 0
		err := l.Tell(ctx, 1, nil, func(text []byte) error {
			if sends++; sends == 1 {
				s.vote(1)
				s.vote(600)
			}
			for line := range strings.Lines(string(text)) {
				id, _, _ := strings.Cut(line, "@")
				counts[id]++
			}
			if sends == 4 { // 250, 250, 100 and the two, and once more the 1: the last round has one look
				stop()
			}
			return nil
		})
		if err != nil || len(counts) != 600 || counts["1"] < 2 || counts["600"] < 1 {
			t.Errorf("%d pieces, the first %d times, the last %d times: %v", len(counts), counts["1"], counts["600"], err)
		}
		e := listen(t, l, s.next)
		for id := range s.all {
			s.vote(id)
		}
		l.Nudge()
		pass(time.Second)
		if got := strings.Count(e.heard(), "\n"); got != 600 {
			t.Errorf("a bulk of changes: %d, want 600", got)
		}
	})
}

// TestLiveConflates: a piece that changes all the time is told a few times a
// second, the last time for good.
func TestLiveConflates(t *testing.T) {
	t.Parallel()
	s := newShelf(1)
	live(t, s, func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		e := listen(t, l, 10)
		before := s.looked()
		for range 1000 {
			s.vote(1)
			l.Change()
			pass(time.Millisecond)
		}
		pass(time.Second)
		got := e.heard()
		if lines := strings.Count(got, "\n"); lines < 4 || lines > 7 || !strings.HasSuffix(got, "has 1000\n") {
			t.Errorf("got %q", got)
		}
		if looks := s.looked() - before; looks > 10 {
			t.Errorf("%d looks", looks)
		}
	})
}

func TestLiveBeatsAndSleeps(t *testing.T) {
	t.Parallel()
	s := newShelf(1)
	live(t, s, func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		pass(time.Hour)
		if s.looked() != 0 {
			t.Errorf("%d looks for nobody", s.looked())
		}
		e := listen(t, l, 1)
		pass(time.Second)
		want(t, "beginning", e.heard(), "1@10 has 0\n")
		pass(46 * time.Second)
		want(t, "silence", e.heard(), strings.Repeat(": still here\n\n", 3))
		e.stop()
		pass(time.Minute)
		before := s.looked()
		s.vote(1)
		l.Nudge()
		pass(time.Hour)
		if s.looked() != before {
			t.Errorf("%d looks after the last one went", s.looked()-before)
		}
		e = listen(t, l, 10)
		pass(time.Second)
		want(t, "the next one", e.heard(), "1@11 has 1\n")
	})
}

func TestLiveWhileTheStoreIsAway(t *testing.T) {
	t.Parallel()
	s := newShelf(1)
	live(t, s, func(t *testing.T, l *core.Live, log *bytes.Buffer) {
		s.breaks(io.ErrUnexpectedEOF)
		if err := <-listen(t, l, 1).err; !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("before the first look: %v", err)
		}
		s.breaks(nil)
		e := listen(t, l, 1)
		pass(time.Second)
		want(t, "back", e.heard(), "1@10 has 0\n")
		s.breaks(io.ErrUnexpectedEOF)
		s.vote(1)
		pass(time.Minute)
		want(t, "away", e.heard(), strings.Repeat(": still here\n\n", 4))
		if err := <-listen(t, l, 1).err; !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("away: %v", err)
		}
		s.breaks(nil)
		pass(2 * time.Second)
		want(t, "back again", e.heard(), "1@11 has 1\n")
		if lines := strings.Count(log.String(), "\n"); lines != 2 {
			t.Errorf("%d lines for two times away:\n%s", lines, log)
		}
	})
}

// TestLiveDropsTheSlow: it goes, what it did not take is told to the others in
// time, and coming back it goes on where it was.
func TestLiveDropsTheSlow(t *testing.T) {
	t.Parallel()
	s := newShelf(1)
	live(t, s, func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		quick, slow := listen(t, l, 10), make(chan error, 1)
		go func() {
			slow <- l.Tell(t.Context(), 10, nil, func(text []byte) error {
				if len(text) > 0 { // the first only opens
					<-time.After(4 * time.Second)
				}
				return nil
			})
		}()
		pass(time.Second)
		for range 20 {
			s.vote(1)
			l.Change()
			pass(500 * time.Millisecond)
			if got := quick.heard(); strings.Count(got, "\n") != 1 {
				t.Errorf("the quick one got %q", got)
			}
		}
		if err := <-slow; err == nil || !strings.Contains(err.Error(), "too slow") {
			t.Errorf("the slow one: %v", err)
		}
		want(t, "it comes back", listen(t, l, 12).heard(), "1@30 has 20\n")
	})
}

func TestLiveRefusesOneTooMany(t *testing.T) {
	t.Parallel()
	live(t, newShelf(0), func(t *testing.T, l *core.Live, _ *bytes.Buffer) {
		if err := l.Ready(); err != nil {
			t.Errorf("the first: %v", err)
		}
		first := listen(t, l, 1)
		for range 9_999 {
			go func() { _ = l.Tell(t.Context(), 1, nil, func([]byte) error { return nil }) }()
		}
		synctest.Wait()
		if err := l.Ready(); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("one too many: %v", err)
		}
		first.stop()
		if err := <-first.err; err != nil {
			t.Errorf("one who goes: %v", err)
		}
		if err := l.Ready(); err != nil {
			t.Errorf("in the place of one who went: %v", err)
		}
	})
}

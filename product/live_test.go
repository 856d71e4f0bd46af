package product_test

import (
	"testing"
	"time"
)

// TestReplicasHearEachOther: through Redis well before they would look by
// themselves, without it within 5 s, and with it again.
func TestReplicasHearEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	here, _ := run(t, s.config)
	there, _ := run(t, s.config)
	heard := listen(t, here, "", "")
	heard.drain(t, 2)
	start := time.Now()
	for person := range int64(12) {
		s.vote(t, "POST", there, person+1, 1)
		if got, want := heard.next(t, soon), (count{1, person + 1}); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	if took := time.Since(start); took > 12*time.Second { // looks of its own alone would take 24
		t.Errorf("12 votes were heard after %v", took)
	}
	s.redis.Kill()
	s.vote(t, "POST", there, 1, 2)
	if got, want := heard.next(t, 5*time.Second), (count{2, 1}); got != want {
		t.Errorf("without Redis: got %v, want %v", got, want)
	}
	s.redis.Restart()
	s.vote(t, "POST", there, 2, 2)
	if got, want := heard.next(t, 5*time.Second), (count{2, 2}); got != want {
		t.Errorf("with Redis again: got %v, want %v", got, want)
	}
}

// TestStreamGoesOn after its last event: on another replica, and after a
// restart; what is no id starts over.
func TestStreamGoesOn(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3)
	here, stop := run(t, s.config)
	there, _ := run(t, s.config)
	heard := listen(t, here, "", "")
	heard.drain(t, 3)
	s.vote(t, "POST", here, 1, 1)
	heard.next(t, soon)
	stopped := time.Now()
	if err := stop(); err != nil || time.Since(stopped) > 5*time.Second {
		t.Errorf("stop took %v: %v", time.Since(stopped), err)
	}
	if c, ok := <-heard.events; ok || heard.err != nil {
		t.Errorf("after the stop: %v, %v", c, heard.err)
	}
	s.vote(t, "POST", there, 1, 3)
	again, _ := run(t, s.config)
	for _, url := range []string{there, again} {
		l := listen(t, url, "", heard.lastID)
		got, want := l.next(t, soon), count{3, 1}
		if got == (count{1, 1}) { // comes twice if another transaction was under way, in any database of the server
			got = l.next(t, soon)
		}
		if got != want {
			t.Errorf("goes on with %v, want %v", got, want)
		}
		if got, want := listen(t, url, "?ids=3,2,3", heard.lastID).next(t, soon), (count{3, 1}); got != want {
			t.Errorf("of some goes on with %v, want %v", got, want)
		}
	}
	for _, id := range []string{"", "x", "-1", "0", "1", "1.5", "9000000000000000000", "99999999999999999999"} {
		l := listen(t, there, "", id)
		l.drain(t, 2)
		if got, want := l.next(t, soon), (count{3, 1}); got != want {
			t.Errorf("after the id %q the third is %v, want %v", id, got, want)
		}
	}
}

// TestListenersMissNothing while many vote and take back at two replicas, and
// some listeners come late or come back.
func TestListenersMissNothing(t *testing.T) {
	t.Parallel()
	const pieces, people = 4, 40
	s := newSite(t, pieces)
	here, _ := run(t, s.config)
	there, _ := run(t, s.config)
	urls := []string{here, there}
	var all []*stream
	for i := range 8 {
		all = append(all, listen(t, urls[i%2], []string{"", "?ids=1,2,3,4"}[i/2%2], ""))
	}
	voted := make(chan struct{})
	for person := range int64(people) {
		go func() {
			defer func() { voted <- struct{}{} }()
			for id := range int64(pieces) {
				s.vote(t, "POST", urls[person%2], person+1, id+1)
			}
			if person%4 == 0 {
				s.vote(t, "DELETE", urls[(person+1)%2], person+1, 4)
			}
		}()
	}
	for i := range people {
		<-voted
		if i%10 == 0 {
			l := listen(t, urls[i/10%2], "", "")
			l.drain(t, 3) // not all there is
			all = append(all, l.comeBack(t, urls[(i/10+1)%2]))
		}
	}
	want := s.counts(t)
	if want[1] != people || want[4] != people-people/4 {
		t.Fatalf("counts %v", want)
	}
	for _, l := range all {
		checkOrder(t, l.until(t, want))
	}
}

// checkOrder: nobody takes back a vote for the first three pieces.
func checkOrder(t *testing.T, all []count) {
	t.Helper()
	last := map[int64]int64{}
	for _, c := range all {
		if c.OrigamiID < 4 && c.Votes < last[c.OrigamiID] {
			t.Errorf("%v after %d", c, last[c.OrigamiID])
		}
		last[c.OrigamiID] = c.Votes
	}
}

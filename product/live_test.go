package product_test

import (
	"maps"
	"testing"
	"time"

	"craftista/shared/waittest"

	"github.com/google/go-cmp/cmp"
)

// TestReplicasTellEachOther through Redis, also once it has restarted: by itself none would read within this test.
func TestReplicasTellEachOther(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	s.config.ReadInterval = time.Hour
	here, _ := run(t, s.config)
	there, _ := run(t, s.config)
	heard := listen(t, here, "")
	heard.drain(t, 1)
	voters := int64(0)
	vote := func() {
		voters++
		s.sendVote(t, "POST", there, 1, voters)
	}
	voteUntilHeard := func() {
		waittest.Until(t, "a vote is heard of", func() bool {
			vote() // nobody hears of those before the replica has subscribed
			return len(heard.events) > 0
		})
	}
	voteUntilHeard()
	for heard.next(t).Votes < voters {
	}
	for range 3 {
		vote()
		if got, want := heard.next(t), (count{1, voters}); got != want {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
	s.redis.Kill()
	s.redis.Restart()
	voteUntilHeard()
}

// TestReplicasHearWithoutRedis, since each reads by itself.
func TestReplicasHearWithoutRedis(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	here, _ := run(t, s.config)
	there, _ := run(t, s.config)
	heard := listen(t, here, "")
	heard.drain(t, 1)
	s.redis.Kill()
	s.sendVote(t, "POST", there, 1, 1)
	if got, want := heard.next(t), (count{1, 1}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestStreamsBeginWithAllCounts: on the same replica, on another and on one that
// was started again. A stop ends the streams, and a change that no replica made,
// such as a restored dump, is sent.
func TestStreamsBeginWithAllCounts(t *testing.T) {
	t.Parallel()
	s := newSite(t, 3)
	here, stop := run(t, s.config)
	there, _ := run(t, s.config)
	heard := listen(t, here, "")
	heard.drain(t, 3)
	s.sendVote(t, "POST", here, 1, 1)
	heard.next(t)
	if err := stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if c, ok := <-heard.events; ok || heard.err != nil {
		t.Errorf("after the stop: %v, %v", c, heard.err)
	}
	again, _ := run(t, s.config)
	all := map[string]*stream{"another": listen(t, there, ""), "the same again": listen(t, again, "")}
	for name, l := range all {
		l.drain(t, 3)
		if l.known[1] != 1 || len(l.known) != 1 {
			t.Errorf("on %s: %v", name, l.known)
		}
	}
	s.db.MustExec(`DELETE FROM product.votes`)
	for name, l := range all {
		if got, want := l.next(t), (count{1, 0}); got != want {
			t.Errorf("on %s with older votes: got %v, want %v", name, got, want)
		}
	}
}

// TestListenersGetAllCounts while many vote and take back at two replicas, and
// some listeners come late or come back.
func TestListenersGetAllCounts(t *testing.T) {
	t.Parallel()
	const products, users = 4, 40
	s := newSite(t, products)
	here, _ := run(t, s.config)
	there, _ := run(t, s.config)
	urls := []string{here, there}
	var all []*stream
	for i := range 8 {
		all = append(all, listen(t, urls[i%2], []string{"", "?ids=1,2,3,4"}[i/2%2]))
	}
	voted := make(chan struct{})
	for userID := range int64(users) {
		go func() {
			defer func() { voted <- struct{}{} }()
			for id := range int64(products) {
				s.sendVote(t, "POST", urls[userID%2], id+1, userID+1)
			}
			if userID%4 == 0 {
				s.sendVote(t, "DELETE", urls[(userID+1)%2], 4, userID+1)
			}
		}()
	}
	for i := range users {
		<-voted
		if i%10 == 0 {
			l := listen(t, urls[i/10%2], "")
			l.drain(t, 3) // not all there is
			l.disconnect()
			back := listen(t, urls[(i/10+1)%2], "")
			back.known = l.known
			all = append(all, back)
		}
	}
	want := s.counts(t)
	if want[1] != users || want[4] != users-users/4 {
		t.Fatalf("counts %v", want)
	}
	for _, l := range all {
		checkOrder(t, l, want)
	}
}

// checkOrder reads until the counts are as wanted. Nobody takes back a vote for
// the first three products, so their counts only grow, also from what the listener
// had elsewhere.
func checkOrder(t *testing.T, l *stream, want map[int64]int64) {
	t.Helper()
	last := maps.Clone(l.known)
	for !cmp.Equal(l.known, want) {
		c := l.next(t)
		if c.OrigamiID < 4 && c.Votes < last[c.OrigamiID] {
			t.Errorf("%v after %d", c, last[c.OrigamiID])
		}
		last[c.OrigamiID] = c.Votes
	}
}

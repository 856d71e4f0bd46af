// Package waittest is for tests that wait for what another goroutine or process does.
package waittest

import (
	"testing"
	"time"
)

// Timeout ends what hangs. It says nothing about how fast anything has to be: a machine that is twenty times too busy
// never reaches it.
const Timeout = 10 * time.Minute

// Until polls until the condition holds, and fails the test after Timeout.
func Until(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(Timeout); !holds(); <-tick.C {
		if time.Now().After(end) {
			tb.Fatalf("not so after %v: %s", Timeout, what)
		}
	}
}

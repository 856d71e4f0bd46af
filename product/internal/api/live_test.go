package api_test

import (
	"testing"
)

// stream holds what a stream starts with to the document; what it tells is
// TestLive's.
func (s suite) stream(t *testing.T) {
	w := call(t, s.h, "HEAD", "/api/votes/stream?ids=", "")
	for name, want := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if got := w.Header().Get(name); w.Code != 200 || got != want {
			t.Errorf("status %d, %s %q, want %q", w.Code, name, got, want)
		}
	}
}

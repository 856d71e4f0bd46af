package token

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"
)

// TestOneRequestFetchesWhileOthersGoOn lets the keys grow old while auth hangs.
func TestOneRequestFetchesWhileOthersGoOn(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	var fetches atomic.Int64
	auth := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if fetches.Add(1) > 1 {
			<-release
		}
		_, _ = w.Write([]byte(`{"keys":[]}`))
	}))
	t.Cleanup(auth.Close)
	keys := NewRemoteKeys(auth.URL, http.DefaultClient)
	if err := keys.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	keys.mu.Lock()
	keys.due = time.Now().Add(-time.Second)
	keys.mu.Unlock()

	fetcher := make(chan error, 1)
	go func() { fetcher <- keys.Ready(t.Context()) }()
	for fetches.Load() < 2 {
		<-time.After(time.Millisecond)
	}
	for range 100 { // none of them waits, or this test would not end
		if err := keys.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := fetches.Load(); got != 2 {
		t.Errorf("%d fetches, want the first and one more", got)
	}
	if len(fetcher) > 0 {
		t.Error("the fetch did not hang")
	}
	close(release)
	if err := <-fetcher; err != nil {
		t.Error(err)
	}
}

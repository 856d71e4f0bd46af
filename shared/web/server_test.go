package web_test

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestStopFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	started, release := make(chan struct{}), make(chan struct{})
	url, stop := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "finished")
	}))
	body, stopped := make(chan string, 1), make(chan error, 1)
	go func() { body <- get(url) }()
	<-started
	go func() { stopped <- stop() }()
	for refused := false; !refused; { // until it stops accepting
		c, err := net.DialTimeout("tcp", strings.TrimPrefix(url, "http://"), time.Second)
		if refused = err != nil; !refused {
			_ = c.Close()
		}
	}
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
}

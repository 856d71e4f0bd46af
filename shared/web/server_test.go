package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

func TestStopFinishesWhatIsInFlightThenClosesInOrder(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	started, release := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "finished")
	})
	var closed []string
	closer := func(name string) func(context.Context) error {
		return func(context.Context) error { closed = append(closed, name); return errors.New(name) }
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		log := telemetry.Discard().Log
		served <- web.Serve(ctx, l, handler, log, closer("database"), closer("cache"), closer("telemetry"))
	}()
	body := make(chan string, 1)
	go func() { body <- get("http://" + l.Addr().String()) }()
	<-started
	stop()
	for refused := false; !refused; { // until it stops accepting
		c, err := net.DialTimeout("tcp", l.Addr().String(), time.Second)
		if refused = err != nil; !refused {
			_ = c.Close()
		}
	}
	close(release)
	if got := <-body; got != "finished" {
		t.Errorf("the request in flight got %q", got)
	}
	err = <-served
	if diff := cmp.Diff([]string{"database", "cache", "telemetry"}, closed); diff != "" {
		t.Errorf("closed (-want +got):\n%s", diff)
	}
	if err == nil || err.Error() != "database\ncache\ntelemetry" {
		t.Errorf("error %v, want what each closer said", err)
	}
}

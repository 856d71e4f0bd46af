package web_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"craftista/shared/fault"
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
		served <- web.Serve(ctx, l, handler, telemetry.Discard().Log, closer("database"), closer("cache"), closer("telemetry"))
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

func get(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func TestFaultsKeepTheirMeaningAcrossTheWire(t *testing.T) {
	t.Parallel()
	sent := &fault.Error{
		Kind: fault.Invalid, Message: "the request breaks a rule", Code: "invalid_token", RetryAfter: 3 * time.Second,
		Fields: []fault.Field{{Field: "name", Message: "is required"}},
	}
	for _, kind := range []fault.Kind{
		fault.BadRequest, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.Conflict, fault.PreconditionFailed, fault.PreconditionRequired,
		fault.TooLarge, fault.Unsupported, fault.Invalid, fault.Throttled, fault.Unavailable, fault.Internal,
	} {
		sent := *sent
		sent.Kind = kind
		r := web.NewRouter(telemetry.Discard(), web.Problem)
		r.Get("/", func(http.ResponseWriter, *http.Request) error { return &sent })
		server := httptest.NewServer(r)
		err := web.NewClient("paper", server.URL, web.NewHTTPClient(time.Second, telemetry.Discard())).Do(t.Context(), web.Request{Method: "GET", Path: "/"}, nil)
		server.Close()
		var got *fault.Error
		if !errors.As(err, &got) {
			t.Errorf("kind %v arrives as %v", kind, err)
			continue
		}
		if kind == fault.Unauthenticated && got.Code != sent.Code { // others have no challenge to carry it
			t.Errorf("code %q, want %q", got.Code, sent.Code)
		}
		if got.Kind != kind || got.Message != sent.Message || got.RetryAfter != sent.RetryAfter || !cmp.Equal(got.Fields, sent.Fields) {
			t.Errorf("kind %v arrives as %+v", kind, got)
		}
	}
}

func TestClientCallsAServiceThatMisbehaves(t *testing.T) {
	t.Parallel()
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/hang":
			<-hang
		case "/nonsense":
			_, _ = io.WriteString(w, "<html>")
		case "/redirect":
			http.Redirect(w, r, "/nonsense", http.StatusFound)
		case "/html-error":
			http.Error(w, "<b>secret</b>", http.StatusBadGateway)
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(hang) })
	client := web.NewClient("paper", server.URL+"/", web.NewHTTPClient(200*time.Millisecond, telemetry.Discard()))
	dead := web.NewClient("paper", "http://127.0.0.1:1", web.NewHTTPClient(200*time.Millisecond, telemetry.Discard()))
	for _, row := range []struct {
		client  *web.Client
		path    string
		kind    fault.Kind
		message string
	}{
		{client, "/hang", fault.Unavailable, "paper does not answer"},
		{client, "/nonsense", fault.Unavailable, "paper answers nonsense"},
		{client, "/redirect", fault.Internal, "paper answered 302"},
		{client, "/html-error", fault.Unavailable, "paper answered 502"},
		{dead, "/", fault.Unavailable, "paper does not answer"},
	} {
		var out struct{}
		err := row.client.Do(t.Context(), web.Request{Method: "GET", Path: row.path}, &out)
		if got := web.FaultOf(err); fault.KindOf(err) != row.kind || got.Message != row.message {
			t.Errorf("%s: %v, want kind %v, %q", row.path, err, row.kind, row.message)
		}
	}
}

func TestClientSendsWhatIsAsked(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in, err := web.Decode[sheet](r)
		if err != nil || r.Method != "PUT" || r.URL.RequestURI() != "/sheets?x=1" || r.Header.Get("Authorization") != "Bearer abc" || r.Header.Get("X-More") != "yes" {
			t.Errorf("arrived: %s %s %v %+v %v", r.Method, r.URL, r.Header, in, err)
		}
		w.Header().Set("X-Back", "1")
		_ = web.Reply(w, 200, sheet{in.Name, in.Side * 2})
	}))
	t.Cleanup(server.Close)
	var got sheet
	header, err := web.NewClient("paper", server.URL, web.NewHTTPClient(time.Second, telemetry.Discard())).DoHeader(t.Context(), web.Request{
		Method: "PUT", Path: "/sheets?x=1", Bearer: "abc", Header: http.Header{"X-More": {"yes"}}, Body: sheet{"kami", 15},
	}, &got)
	if err != nil || got != (sheet{"kami", 30}) || header.Get("X-Back") != "1" {
		t.Errorf("got %v, %v, %v", got, header, err)
	}
}

func TestClientReadsARefusalBesides(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/html" {
			http.Error(w, "<html>", http.StatusServiceUnavailable)
			return
		}
		_ = web.Reply(w, http.StatusServiceUnavailable, sheet{"washi", 20})
	}))
	t.Cleanup(server.Close)
	client := web.NewClient("paper", server.URL, web.NewHTTPClient(time.Second, telemetry.Discard()))
	for path, want := range map[string]sheet{"/json": {"washi", 20}, "/html": {}} {
		var got, none sheet
		err := client.Do(t.Context(), web.Request{Method: http.MethodGet, Path: path, Refused: &got}, &none)
		if fault.KindOf(err) != fault.Unavailable || got != want || none != (sheet{}) {
			t.Errorf("%s: got %+v, reply %+v, %v; want %+v", path, got, none, err, want)
		}
	}
}

func TestClientSendsBytesAsTheyStand(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		media, body, err := web.ReadBody(r, 100, "image/png")
		if err != nil || media != "image/png" || string(body) != "\x89PNG\x00" || r.ContentLength != 5 {
			t.Errorf("arrived: %s %q of %d, %v", media, body, r.ContentLength, err)
		}
	}))
	t.Cleanup(server.Close)
	err := web.NewClient("paper", server.URL, web.NewHTTPClient(time.Second, telemetry.Discard())).Do(t.Context(), web.Request{
		Method: "POST", Path: "/", Body: web.Raw{MediaType: "image/png", Bytes: []byte("\x89PNG\x00")},
	}, nil)
	if err != nil {
		t.Error(err)
	}
}

package traces_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"testing"

	"craftista/shared/mailbox"
	"craftista/stack/internal/traces"
)

// TestMailsAreShown as text with links, and as HTML that runs and loads nothing.
func TestMailsAreShown(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var box mailbox.Box
	go func() { _ = box.Serve(t.Context(), l) }() // the mail would be missing
	const mail = "Subject: <b>Hello</b>\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\n" +
		"Look:\nhttp://localhost/reset?token=a&b=<i>\n\n--b\nContent-Type: text/html\n\n<script>x</script>\n--b--\n"
	err = smtp.SendMail(l.Addr().String(), nil, "a@example.com", []string{"b@example.com"},
		[]byte(strings.ReplaceAll(mail, "\n", "\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	pages := traces.Handler(&traces.Store{}, &traces.Metrics{}, &box)
	for path, want := range map[string][]string{
		"/": {`<a href="/mails">Mails</a>`},
		"/mails": {"&lt;b&gt;Hello&lt;/b&gt;", "b@example.com", `<a href="/mails/1">As HTML</a>`,
			"Look:\n" + `<a href="http://localhost/reset?token=a&amp;b=%3ci%3e">`,
			"http://localhost/reset?token=a&amp;b=&lt;i&gt;</a>"},
		"/mails/1": {"<script>x</script>"},
	} {
		res := httptest.NewRecorder()
		pages.ServeHTTP(res, httptest.NewRequest(http.MethodGet, path, nil))
		for _, text := range want {
			if !strings.Contains(res.Body.String(), text) {
				t.Errorf("%s lacks %q:\n%s", path, text, res.Body)
			}
		}
		if policy := res.Header().Get("Content-Security-Policy"); path == "/mails/1" &&
			!strings.HasPrefix(policy, "sandbox allow-top-navigation-by-user-activation; default-src 'none';") {
			t.Errorf("the policy of a mail is %q", policy)
		}
	}
	for _, path := range []string{"/mails/2", "/mails/x", "/mails/0"} {
		res := httptest.NewRecorder()
		pages.ServeHTTP(res, httptest.NewRequest(http.MethodGet, path, nil))
		if res.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.Code)
		}
	}
}

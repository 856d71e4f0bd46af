package mailbox_test

import (
	"context"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"testing"

	"craftista/shared/mailbox"
)

// TestMailsAreStoredNewestFirst, and the oldest go; what is no mail of two forms is refused.
func TestMailsAreStoredNewestFirst(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var box mailbox.Box
	ended := make(chan error, 1)
	go func() { ended <- box.Serve(ctx, l) }()
	send := func(body string) error {
		text := strings.ReplaceAll(body, "\n", "\r\n")
		return smtp.SendMail(l.Addr().String(), nil, "a@example.com", []string{"b@example.com"}, []byte(text))
	}
	const mail = "Subject: =?utf-8?q?Kraniche_=F0=9F=90=A6?= %d\nContent-Type: multipart/alternative; boundary=b\n\n" +
		"--b\nContent-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nG=C3=BC\n" +
		"--b\nContent-Type: text/html\n\n<p>\n--b--\n"
	for n := range 201 {
		if err := send(fmt.Sprintf(mail, n)); err != nil {
			t.Fatal(err)
		}
	}
	all := box.All()
	if len(all) != 200 || all[0].Subject != "Kraniche \U0001f426 200" || all[0].Text != "Gü" || all[0].HTML != "<p>" ||
		all[0].From != "a@example.com" || all[0].To[0] != "b@example.com" || all[199].ID != 2 {
		t.Errorf("%d mails, the newest %+v", len(all), all[0])
	}
	if m, ok := box.Find(201); !ok || m.Subject != all[0].Subject {
		t.Errorf("found %+v", m)
	}
	if _, ok := box.Find(1); ok {
		t.Error("the oldest is still there")
	}
	for _, broken := range []string{"no header", "Subject: x\n\nno parts\n", strings.TrimSuffix(mail, "--b--\n")} {
		if err := send(broken); err == nil {
			t.Errorf("%q is taken in", broken)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Package mail writes the mails of auth and sends them, after the requests that asked for them were answered.
package mail

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// sendTimeout bounds one attempt, from dialling to the server's last answer.
const sendTimeout = 15 * time.Second

// Mail is one mail, as text and as HTML.
type Mail struct{ To, Subject, Text, HTML string }

// ErrRefused is a mail that the server will not take however often it is sent.
var ErrRefused = errors.New("the mail server refuses it for good")

// SMTP sends mails to one server. It is safe for concurrent use.
type SMTP struct {
	client *gomail.Client
	from   string
}

// NewSMTP returns a sender by the server at address: smtp://user:password@host:port, where STARTTLS is required, or
// smtps:// for TLS from the start. With ?tls=none, for a server on this machine or network, nothing is encrypted, and
// there is no password. from is the sender, such as "Craftista <mail@origami.example>". It does not connect. Errors
// repeat nothing of the address.
func NewSMTP(address, from string) (*SMTP, error) {
	const form = "SMTP_URL is not of the form smtp://user:password@host:port or smtps://…"
	if _, err := mail.ParseAddress(from); err != nil {
		return nil, errors.New("MAIL_FROM is not one e-mail address such as Craftista <mail@origami.example>")
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New(form)
	}
	options := []gomail.Option{gomail.WithTimeout(sendTimeout), gomail.WithTLSPortPolicy(gomail.TLSMandatory)}
	plain := u.RawQuery == "tls=none" && u.Scheme == "smtp" && u.User == nil
	switch {
	case plain:
		options = append(options, gomail.WithTLSPortPolicy(gomail.NoTLS))
	case u.RawQuery != "":
		return nil, errors.New("SMTP_URL may end with ?tls=none only, and only as smtp:// without a password")
	case u.Scheme == "smtps":
		options = append(options, gomail.WithSSLPort(false))
	}
	if text := u.Port(); text != "" {
		port, err := strconv.Atoi(text)
		if err != nil {
			return nil, errors.New(form)
		}
		options = append(options, gomail.WithPort(port))
	}
	if password, ok := u.User.Password(); ok {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover),
			gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, errors.New(form) // err may repeat a part of it
	}
	return &SMTP{client: client, from: from}, nil
}

// Send implements Sender.
func (s *SMTP) Send(ctx context.Context, m Mail) error {
	message := gomail.NewMsg()
	if err := message.From(s.from); err != nil {
		return fmt.Errorf("%w: the sender is no address", ErrRefused)
	}
	if err := message.To(m.To); err != nil {
		return fmt.Errorf("%w: the recipient is no address", ErrRefused)
	}
	message.Subject(m.Subject)
	message.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no vacation notice answers
	message.SetBodyString(gomail.TypeTextPlain, m.Text)
	message.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return withoutAddresses(s.client.DialAndSendWithContext(ctx, message))
}

// withoutAddresses is err as it may be logged: what the server answers usually names the recipient.
func withoutAddresses(err error) error {
	failed, ok := errors.AsType[*gomail.SendError](err)
	switch {
	case !ok:
		return err
	case failed.ErrorCode() >= 500:
		return fmt.Errorf("%w: %s, answer %d", ErrRefused, failed.Reason, failed.ErrorCode())
	default:
		return fmt.Errorf("%s, answer %d", failed.Reason, failed.ErrorCode())
	}
}

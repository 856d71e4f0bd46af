// Package mailbox is an SMTP server that stores mails in memory, for a laptop and for tests: nothing is delivered.
package mailbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

const (
	maxMails = 200     // the oldest is removed first
	maxBytes = 1 << 20 // of one mail
)

// Mail is one that came in.
type Mail struct {
	ID      int // counts from 1
	At      time.Time
	From    string   // of the envelope, as To
	To      []string // of the envelope
	Header  mail.Header
	Subject string // decoded
	Text    string // the part of text/plain
	HTML    string // the part of text/html
}

// Box has the mails. It is safe for concurrent use; the zero value is ready.
type Box struct {
	mu    sync.Mutex // guards the rest
	mails []Mail     // oldest first
	last  int
}

// All are the mails, newest first.
func (b *Box) All() []Mail {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := slices.Clone(b.mails)
	slices.Reverse(all)
	return all
}

// Find is the mail with that id, and whether it is there.
func (b *Box) Find(id int) (Mail, bool) {
	all := b.All()
	i := slices.IndexFunc(all, func(m Mail) bool { return m.ID == id })
	if i < 0 {
		return Mail{}, false
	}
	return all[i], true
}

// Serve takes in mails on l until ctx is done, from anybody. It closes l.
func (b *Box) Serve(ctx context.Context, l net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &session{box: b}, nil }))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = "localhost", maxBytes, 10
	server.ReadTimeout, server.WriteTimeout = 10*time.Second, 10*time.Second
	server.EnableSMTPUTF8 = true
	server.ErrorLog = discard{}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })() // nothing is left to be told
	if err := server.Serve(l); err != nil && ctx.Err() == nil {
		return fmt.Errorf("take in mails: %w", err)
	}
	return nil
}

// discard is for what clients do wrong, which they are told.
type discard struct{}

func (discard) Printf(string, ...any) {}
func (discard) Println(...any)        {}

// session is one client's.
type session struct {
	box  *Box
	mail Mail
}

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.mail.From = from
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = append(s.mail.To, to)
	return nil
}

// Data implements smtp.Session. What cannot be read is refused.
func (s *session) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	s.mail.Header = m.Header
	if s.mail.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return err
	}
	if err := s.mail.read(m); err != nil {
		return err
	}
	s.box.add(s.mail)
	return nil
}

// read reads the parts of an alternative text.
func (m *Mail) read(message *mail.Message) error {
	_, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	for parts := multipart.NewReader(message.Body, params["boundary"]); ; {
		part, err := parts.NextPart() // decodes quoted-printable
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		body, err := io.ReadAll(part)
		if err != nil {
			return err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = string(body)
		} else {
			m.Text = strings.ReplaceAll(string(body), "\r\n", "\n")
		}
	}
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (s *session) Logout() error { return nil }

func (b *Box) add(m Mail) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last++
	m.ID, m.At = b.last, time.Now()
	b.mails = append(b.mails, m)
	b.mails = b.mails[max(0, len(b.mails)-maxMails):]
}

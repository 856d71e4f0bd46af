// Package fault has errors that are meant for the caller: a kind, a plain message,
// and apart from both a cause for the log.
package fault

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Kind says what sort of answer a fault deserves: it is the status in HTTP.
type Kind int

// The kinds.
const (
	None                 Kind = 0   // no error; KindOf(nil)
	BadRequest           Kind = 400 // the request cannot be read
	Unauthenticated      Kind = 401 // no credentials, or wrong ones
	Forbidden            Kind = 403 // the caller lacks the right
	NotFound             Kind = 404
	MethodNotAllowed     Kind = 405
	Conflict             Kind = 409 // contradicts the current state
	PreconditionFailed   Kind = 412 // If-Match names an older version
	TooLarge             Kind = 413
	Unsupported          Kind = 415 // unsupported media type
	Invalid              Kind = 422 // readable, but breaks a rule: see Error.Fields
	PreconditionRequired Kind = 428 // If-Match is required
	Throttled            Kind = 429 // see Error.RetryAfter
	Internal             Kind = 500 // an error that carries no fault; web.FaultOf makes some of them Unavailable
	Unavailable          Kind = 503 // a dependency is unavailable: see Error.RetryAfter
)

// Error is a fault meant for the caller. Its message is sent unchanged, so
// it names nothing internal. It is immutable once returned.
type Error struct {
	Kind       Kind
	Message    string        // a plain sentence without a full stop
	Code       string        // a word for machines, such as RFC 6750's invalid_token; may be empty
	Fields     []Field       // the broken rules of an Invalid fault
	RetryAfter time.Duration // when trying again may help; 0 is not known
	cause      error
	logged     string // instead of Message, if it is not empty
}

// Field is one broken rule. Message is a predicate: "is required".
type Field struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// New returns a fault of that kind; format and args make the message.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Because returns a copy that carries the cause, which is logged and never sent.
func (e *Error) Because(cause error) *Error {
	copied := *e
	copied.cause = cause
	return &copied
}

// Quoting returns a copy whose message ends with text that a stranger typed, 64 bytes
// of it at most: it is sent, and never logged.
func (e *Error) Quoting(typed string) *Error {
	copied := *e
	copied.logged = e.Message
	copied.Message += " " + strconv.Quote(strings.ToValidUTF8(typed[:min(len(typed), 64)], ""))
	return &copied
}

// Error is the text for the log: the message and the cause.
func (e *Error) Error() string {
	text := cmp.Or(e.logged, e.Message)
	for _, f := range e.Fields {
		text += "; " + f.Field + " " + f.Message
	}
	if e.cause != nil {
		text += ": " + e.cause.Error()
	}
	return text
}

// Unwrap gives the cause, nil if there is none.
func (e *Error) Unwrap() error { return e.cause }

// KindOf is the kind of the fault that err carries, Internal if it carries none
// and None if err is nil.
func KindOf(err error) Kind {
	if err == nil {
		return None
	}
	if f, ok := errors.AsType[*Error](err); ok {
		return f.Kind
	}
	return Internal
}

// Broken returns an Invalid fault for one field that breaks a rule; format and args make the predicate.
func Broken(field, format string, args ...any) error {
	var broken Checks
	broken.Require(false, field, fmt.Sprintf(format, args...))
	return broken.Err()
}

// Checks collects broken rules, so that the caller gets all at once. The zero value is ready.
type Checks struct{ fields []Field }

// Require notes that the field breaks a rule unless ok holds.
func (c *Checks) Require(ok bool, field, predicate string) {
	if !ok {
		c.fields = append(c.fields, Field{Field: field, Message: predicate})
	}
}

// Err is nil when every rule held, else an Invalid fault with all that did not.
func (c *Checks) Err() error {
	if len(c.fields) == 0 {
		return nil
	}
	return &Error{Kind: Invalid, Message: "the request breaks a rule", Fields: c.fields}
}

package web

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
)

// problem is RFC 9457's application/problem+json with our extensions trace_id
// and errors.
type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail,omitempty"`
	Instance string        `json:"instance"`
	TraceID  string        `json:"trace_id"`
	Errors   []fault.Field `json:"errors,omitempty"`
}

// ProblemWith is Problem for a service whose store has errors of its own: those that unavailable recognises are
// answered as Unavailable. So web needs to know no database.
func ProblemWith(unavailable func(error) bool) ErrorWriter {
	return func(w http.ResponseWriter, r *http.Request, err error) {
		if f := FaultOf(err); f.Kind == fault.Internal && unavailable(err) {
			err = errUnavailable.Because(err)
		}
		Problem(w, r, err)
	}
}

// Problem answers err as problem details (RFC 9457), with WWW-Authenticate (RFC
// 6750 section 3) and Retry-After where they belong. It is the ErrorWriter of
// the JSON services.
func Problem(w http.ResponseWriter, r *http.Request, err error) {
	f := FaultOf(err)
	status := Status(f.Kind)
	SetFaultHeaders(w.Header(), f)
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(problem{ // an error means that the client disconnected
		Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: f.Message,
		Instance: r.URL.EscapedPath(), TraceID: telemetry.TraceID(r.Context()), Errors: f.Fields,
	})
}

// SetFaultHeaders sets WWW-Authenticate on an Unauthenticated fault and
// Retry-After, in whole seconds rounded up, where the fault has one.
func SetFaultHeaders(h http.Header, f *fault.Error) {
	if f.Kind == fault.Unauthenticated {
		challenge := "Bearer"
		if f.Code != "" {
			challenge += ` error="` + f.Code + `"`
		}
		h.Set("WWW-Authenticate", challenge)
	}
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((f.RetryAfter+time.Second-1)/time.Second)))
	}
}

// errUnavailable answers for a dependency that is unavailable.
var errUnavailable = &fault.Error{
	Kind: fault.Unavailable, RetryAfter: 2 * time.Second,
	Message: "a service that this needs is not responding, try again shortly",
}

// FaultOf is the fault to answer err with: the one it carries; Unavailable for a deadline, a network error or a
// connection that ended early; else Internal. Neither of the last two tells what err says.
func FaultOf(err error) *fault.Error {
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return f
	}
	_, network := errors.AsType[net.Error](err) // a deadline is one, too
	if network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errUnavailable
	}
	return &fault.Error{Kind: fault.Internal, Message: "something went wrong here"}
}

// Status is the HTTP status of a kind.
func Status(k fault.Kind) int { return int(cmp.Or(k, fault.Internal)) }

// kindOf is the kind that a status stands for, so that an error keeps its
// meaning across the wire.
func kindOf(status int) fault.Kind {
	switch kind := fault.Kind(status); kind {
	case fault.BadRequest, fault.Unauthenticated, fault.Forbidden, fault.NotFound, fault.MethodNotAllowed, fault.Conflict,
		fault.PreconditionFailed, fault.TooLarge, fault.Unsupported, fault.Invalid, fault.PreconditionRequired,
		fault.Throttled, fault.Unavailable:
		return kind
	case http.StatusBadGateway, http.StatusGatewayTimeout:
		return fault.Unavailable
	default:
		return fault.Internal
	}
}

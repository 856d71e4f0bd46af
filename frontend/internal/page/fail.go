package page

import (
	"context"
	"net/http"
	"strings"

	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// isAPI reports whether the address speaks JSON.
func isAPI(path string) bool {
	switch path {
	case "/daily-origami", "/recommendation-status", "/votingservice-status", "/auth/status",
		"/livez", "/readyz", "/health", "/openapi.json":
		return true
	}
	return strings.HasPrefix(path, "/api/")
}

// fail answers a failed request: problem details to scripts, one sentence where
// htmx asked for a part of a page, a page to everybody else.
func (s *site) fail(w http.ResponseWriter, r *http.Request, err error) {
	if isAPI(r.URL.Path) {
		web.Problem(w, r, err)
		return
	}
	f := web.FaultOf(err)
	status := web.Status(f.Kind)
	if f.Kind != fault.Unauthenticated { // people sign in by the form, not by a header
		web.SetFaultHeaders(w.Header(), f)
	}
	model := s.failure(f)
	switch {
	case f.Kind != fault.Unavailable:
	case r.Method == http.MethodGet:
		model.RetryURL = redirect.Safe(r.URL.RequestURI())
	default: // where the button is
		model.RetryURL = redirect.Referrer(r, "")
	}
	err = s.reply(w, r, status, model.Heading, view.Notice(notice(f, model)), view.FailurePage(model))
	if err != nil { // the page itself is broken
		web.RecordError(r.Context(), err)
		web.Problem(w, r, err)
	}
}

// notice says the failure in the one line that a fragment has.
func notice(f *fault.Error, model view.Failure) string {
	switch f.Kind {
	case fault.Unavailable:
		return sentence(f.Message) + " Please try again in a moment."
	case fault.Internal:
		return "Something went wrong on our side. Please try again."
	default:
		return model.Heading + ". " + model.Message
	}
}

// sentence is a fault's message, as people read it.
func sentence(message string) string { return capital(message) + "." }

// unavailableOr tells an unavailable service, which leaves a gap in a page, from an
// error to answer with.
func unavailableOr(ctx context.Context, err error) (unavailable bool, _ error) {
	if fault.KindOf(err) != fault.Unavailable {
		return false, err
	}
	web.RecordError(ctx, err)
	return true, nil
}

// failure has words and a drawing for every kind.
func (s *site) failure(f *fault.Error) view.Failure {
	words := map[fault.Kind][3]string{
		fault.BadRequest: {"koi", "Bad request", "The request could not be read: " + f.Message + "."},
		fault.Forbidden:  {"samurai-helmet", "Not allowed", sentence(f.Message)},
		fault.NotFound: {"paper-plane", "Page not found",
			"There is nothing at this address. It may have been removed."},
		fault.MethodNotAllowed: {"jumping-frog", "Not possible",
			"This address does not support that kind of request."},
		fault.Conflict: {"pinwheel", "Changed by somebody else",
			"Something else changed at the same time. Please try again."},
		fault.TooLarge:    {"elephant", "Too large", "That is more than this form accepts."},
		fault.Unsupported: {"masu-box", "Unsupported format", "This address accepts only forms."},
		fault.Invalid:     {"koi", "Invalid request", "The request is not valid: " + f.Message + "."},
		fault.Throttled: {"turtle", "Too many requests",
			"Please wait a moment and try again."},
		fault.Unavailable: {"turtle", "Not available right now",
			"A service that this page needs is not responding. Please try again in a moment."},
	}
	w, ok := words[f.Kind]
	if !ok {
		w = [3]string{"heart", "Something went wrong",
			"The problem is on our side. The trace below helps to find the cause."}
	}
	switch f.Code {
	case crossSite:
		w[2] = "That request came from another site and was not carried out. Please try again from here."
	case errApplication.Code:
		w[2] = "The application that sent you here made an invalid request. Nothing was changed. Go back to it and " +
			"try again. If that does not help, tell the people who run it."
	}
	return view.Failure{
		Code: http.StatusText(web.Status(f.Kind)), Heading: w[1], Message: w[2], Art: s.drawing(w[0], "4"),
	}
}

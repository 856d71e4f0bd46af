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
		return strings.ToUpper(f.Message[:1]) + f.Message[1:] + ". Please try again in a moment."
	case fault.Internal:
		return "Something went wrong on our side. Please try again."
	default:
		return model.Heading + ". " + model.Message
	}
}

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
		fault.BadRequest: {"koi", "That is knotted", "The request cannot be read: " + f.Message + "."},
		fault.Forbidden: {"samurai-helmet", "Not through this gate",
			"You are signed in, and this is not for you: " + f.Message + "."},
		fault.NotFound: {"paper-plane", "It flew away",
			"There is nothing at this address, or it is no longer here."},
		fault.MethodNotAllowed: {"jumping-frog", "Wrong jump",
			"This address exists, but not for that kind of request."},
		fault.Conflict: {"pinwheel", "Two at once",
			"Something else changed at the same moment. Please try again."},
		fault.TooLarge:    {"elephant", "Too big to fold", "That is more than this form takes."},
		fault.Unsupported: {"masu-box", "The wrong kind of paper", "This address takes a form and nothing else."},
		fault.Invalid:     {"koi", "That does not fold", "The request breaks a rule: " + f.Message + "."},
		fault.Throttled: {"turtle", "Slowly, slowly",
			"That was a little too often. Wait a moment and try again."},
		fault.Unavailable: {"turtle", "Away just now",
			"What this needs is not answering. Nothing is lost: please try again in a moment."},
	}
	w, ok := words[f.Kind]
	if !ok {
		w = [3]string{"heart", "A crease in the wrong place",
			"Something went wrong on our side. The trace below helps to find out what."}
	}
	switch f.Code {
	case crossSite:
		w[2] = "That request came from another site, so it was not carried out. Try it from here."
	case errApplication.Code:
		w[2] = "The application that sent you here made a mistake, so nothing has happened. Go back to it and try again. " +
			"If that does not help, tell the people who run it."
	}
	return view.Failure{
		Code: http.StatusText(web.Status(f.Kind)), Heading: w[1], Message: w[2], Art: s.drawing(w[0], "tint-4"),
	}
}

package page

import (
	"context"
	"net/http"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/shared/web"
)

// rememberVote has the browser remember what somebody who has to sign in first wanted to
// vote for. Nobody has to while it is not known who asks.
func (h votes) rememberVote(w http.ResponseWriter, r *http.Request, id int64, voted bool) {
	if voted && session.From(r.Context()).State != session.Unknown {
		h.sessions.RememberVote(w, r, id)
	}
}

// castVote votes for the product that the person clicked on before they signed in, and
// forgets it, within the time of a page. A vote that fails does not fail the sign-in:
// its button shows it.
func (h signForms) castVote(w http.ResponseWriter, r *http.Request, grant backend.Grant, next string) {
	if id := h.votesAt(r, next); id != 0 {
		ctx, cancel := context.WithTimeout(r.Context(), h.pageTimeout)
		defer cancel()
		if _, err := h.catalogue.Vote(ctx, grant.AccessToken, id, true); err != nil {
			web.RecordError(r.Context(), err)
		}
	}
	if h.sessions.RememberedVote(r) != 0 {
		h.sessions.ForgetVote(w, r)
	}
}

// votesAt is the product that a sign-in that leads to next votes for, 0 if none. No link
// makes anybody vote: that they clicked is in a cookie, which only a POST from this site
// sets. A sign-in that does not lead back to the product votes for nothing: the person
// has turned to something else, or is another one.
func (h signForms) votesAt(r *http.Request, next string) int64 {
	id := h.sessions.RememberedVote(r)
	if id == 0 || !strings.HasSuffix(next, pieceFragment(id)) {
		return 0
	}
	return id
}

// pieceFragment ends the address of a product's place on a page.
func pieceFragment(id int64) string { return "#piece-" + decimal(id) }

package page

import (
	"net/http"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// votes are the handlers of the vote buttons.
type votes struct {
	*site
	catalogue backend.Catalogue
}

// vote answers POST /origamis/{id}/vote.
func (h votes) vote(w http.ResponseWriter, r *http.Request) error { return h.set(w, r, true) }

// unvote answers POST /origamis/{id}/unvote.
func (h votes) unvote(w http.ResponseWriter, r *http.Request) error { return h.set(w, r, false) }

// set votes, or takes the vote back. A person who is not signed in is led to
// sign-in and then back to where they were, and then has voted. The catalogue has the last word on
// the token, so one that cannot be checked here is sent along all the same.
func (h votes) set(w http.ResponseWriter, r *http.Request, voted bool) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	who := session.From(r.Context())
	if who.Token == "" {
		h.rememberVote(w, r, id, voted)
		return signInFirst(w, r, who.State, backTo(r, id))
	}
	var product backend.Product
	if fragment(r) { // first, so that no vote is recorded and then not shown
		if product, err = h.catalogue.Product(r.Context(), id); err != nil {
			return votingUnavailable(err)
		}
	}
	count, err := h.catalogue.Vote(r.Context(), who.Token, id, voted)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated && who.State == session.Unknown:
		return signInUnavailable().Because(err) // expired, perhaps: once auth is back it can be refreshed
	case fault.KindOf(err) == fault.Unauthenticated:
		h.rememberVote(w, r, id, voted)
		return h.signInAgain(w, r, backTo(r, id), err)
	case err != nil:
		return votingUnavailable(err)
	}
	if !fragment(r) {
		return redirectTo(w, r, backTo(r, id))
	}
	w.Header().Set("HX-Trigger", "voted")
	model := voteModel(id, product.Name, count, voted)
	return send(w, r, http.StatusOK, view.VoteFragment(model, announceVote(model)))
}

// votingUnavailable says of an Unavailable fault what it means to a voter.
func votingUnavailable(err error) error {
	if fault.KindOf(err) == fault.Unavailable {
		return fault.New(fault.Unavailable, "voting is not available right now").Because(err)
	}
	return err
}

func announceVote(v view.Vote) string {
	did := "You took back your vote for "
	if v.Voted {
		did = "You voted for "
	}
	return did + v.Name + ". " + v.Count + "."
}

// backTo is the product's place on the page the person was on, or else its page.
func backTo(r *http.Request, id int64) string {
	return redirect.Referrer(r, productURL(id)) + pieceFragment(id)
}

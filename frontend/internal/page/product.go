package page

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// product answers GET /origamis/{id}.
func (s *site) product(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	var product backend.Product
	var mine []int64
	var also view.Picks
	var wg sync.WaitGroup
	wg.Go(func() { product, err = s.services.Catalogue.Product(r.Context(), id) })
	wg.Go(func() { mine = s.mine(r.Context(), []int64{id}) })
	wg.Go(func() { also = s.alsoLiked(r.Context(), id) })
	wg.Wait()
	if err != nil {
		return err
	}
	also.Heading = "People who love this also love"
	if product.Votes == 0 {
		also.Heading = "Loved by many"
	}
	openGraph := s.openGraph(r, "article", product.Name, product.Description, product)
	return s.pageWithOpenGraph(w, r, http.StatusOK, product.Name, openGraph, view.ProductPage(view.Product{
		ID: strconv.FormatInt(id, 10), Name: product.Name, Description: product.Description,
		Folds: strconv.Itoa(product.Folds), Paper: product.Paper, Level: level(product.Difficulty),
		Art:  s.art(product, product.Name+", folded from paper"),
		Vote: voteModel(id, product.Name, product.Votes, slices.Contains(mine, id)),
		URL:  productURL(id), Address: cmp.Or(openGraph.URL, productURL(id)), AlsoLiked: also,
		EditURL: editURL(session.From(r.Context()), id),
	}))
}

// alsoLiked is what goes with a product, without a heading.
func (s *site) alsoLiked(ctx context.Context, id int64) view.Picks {
	picks, err := s.services.Recommendation.AlsoLiked(ctx, id, pickCount)
	if err != nil {
		if fault.KindOf(err) != fault.NotFound { // the catalogue says so too
			web.NoteFailure(ctx, err)
		}
		return view.Picks{Away: true}
	}
	return view.Picks{Picks: s.pickList(picks)}
}

// vote answers POST /origamis/{id}/vote.
func (s *site) vote(w http.ResponseWriter, r *http.Request) error { return s.castVote(w, r, true) }

// unvote answers POST /origamis/{id}/unvote.
func (s *site) unvote(w http.ResponseWriter, r *http.Request) error { return s.castVote(w, r, false) }

// cast votes, or takes the vote back. A person who is not signed in is led to
// sign-in and then back to where they were. The catalogue has the last word on
// the token, so one that cannot be checked here is sent along all the same.
func (s *site) castVote(w http.ResponseWriter, r *http.Request, voted bool) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	who := session.From(r.Context())
	switch {
	case who.Token == "" && who.State == session.Unknown:
		return signInUnavailable()
	case who.Token == "":
		return s.toSignIn(w, r, id, who.State == session.Expired)
	}
	var product backend.Product
	if fragment(r) { // first, so that no vote is cast and then not shown
		if product, err = s.services.Catalogue.Product(r.Context(), id); err != nil {
			return votingUnavailable(err)
		}
	}
	count, err := s.services.Catalogue.Vote(r.Context(), who.Token, id, voted)
	switch {
	case fault.KindOf(err) == fault.Unauthenticated && who.State == session.Unknown:
		return signInUnavailable().Because(err) // expired, perhaps: once auth is back it can be refreshed
	case fault.KindOf(err) == fault.Unauthenticated:
		web.NoteFailure(r.Context(), err)
		s.sessions.End(w, r)
		return s.toSignIn(w, r, id, true)
	case err != nil:
		return votingUnavailable(err)
	}
	s.noteVote(w, r)
	if !fragment(r) {
		return redirectTo(w, r, backTo(r, id))
	}
	w.Header().Set("HX-Trigger", "voted")
	return send(w, r, http.StatusOK, view.VoteFragment(voteReply(voteModel(id, product.Name, count, voted))))
}

// votingAway says of an Unavailable fault what it means to a voter.
func votingUnavailable(err error) error {
	if fault.KindOf(err) == fault.Unavailable {
		return fault.New(fault.Unavailable, "voting is away just now").Because(err)
	}
	return err
}

// signInAway refuses what a person asked for of whom nothing can be learnt now.
// They keep their session, and no form could help them.
func signInUnavailable() *fault.Error {
	return fault.New(fault.Unavailable, "sign-in is away just now")
}

func voteReply(v view.Vote) view.VoteReply {
	if v.Voted {
		return view.VoteReply{Vote: v, Announcement: "You voted for " + v.Name + ". " + v.Count + "."}
	}
	return view.VoteReply{Vote: v, Announcement: "You took back your vote for " + v.Name + ". " + v.Count + "."}
}

// backTo is the product's place on the page the person was on, or else its page.
func backTo(r *http.Request, id int64) string {
	return redirect.Referrer(r, productURL(id)) + "#piece-" + strconv.FormatInt(id, 10)
}

// toSignIn leads to /login and from there back to the product that the person meant
// to vote for, on the page they were on.
func (s *site) toSignIn(w http.ResponseWriter, r *http.Request, id int64, expire bool) error {
	query := url.Values{"next": {backTo(r, id)}}
	if expire {
		query.Set("why", "expired")
	}
	return redirectTo(w, r, "/login?"+query.Encode())
}

package page

import (
	"context"
	"net/http"
	"net/url"
	"sync"
	"time"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// account answers GET /account.
func (s *site) account(w http.ResponseWriter, r *http.Request, who session.Session) error {
	form, sessions := passwordForm(), view.Sessions{}
	switch r.URL.Query().Get("done") {
	case "password":
		form.Done = passwordDone
	case "session":
		sessions.Done = sessionDone
	case "others":
		sessions.Done = othersDone
	}
	return s.accountPage(w, r, http.StatusOK, who, form, sessions)
}

// accountPage fetches everything at once; what is away leaves a gap that says so.
func (s *site) accountPage(w http.ResponseWriter, r *http.Request, status int, who session.Session, form view.SignForm, sessions view.Sessions) error {
	model := view.Account{Password: form}
	var profileErr, sessionsErr, votesErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Profile, profileErr = s.profile(r.Context(), who) })
	wg.Go(func() { model.Sessions, sessionsErr = s.sessionsModel(r.Context(), who, sessions) })
	wg.Go(func() { model.Votes, votesErr = s.votesModel(r.Context(), who, "") })
	wg.Wait()
	for _, err := range []error{profileErr, sessionsErr, votesErr} {
		if err != nil {
			return err
		}
	}
	return s.page(w, r, status, "Your account", view.AccountPage(model))
}

// awayOr is the error to answer with, nil where it means that a section is away.
func unavailableOr(ctx context.Context, err error) (away bool, _ error) {
	if fault.KindOf(err) != fault.Unavailable {
		return false, err
	}
	web.NoteFailure(ctx, err)
	return true, nil
}

func (s *site) profile(ctx context.Context, who session.Session) (view.Profile, error) {
	p, err := s.services.Auth.Me(ctx, who.Token)
	if err != nil {
		away, err := unavailableOr(ctx, err)
		return view.Profile{Away: away}, err
	}
	return view.Profile{Username: p.Username, Email: p.Email, Role: roleLabel(p.Role), Since: day(p.CreatedAt)}, nil
}

// sessionsModel fills in the sessions of a section that may say what was done.
func (s *site) sessionsModel(ctx context.Context, who session.Session, model view.Sessions) (view.Sessions, error) {
	all, err := s.services.Auth.Sessions(ctx, who.Token)
	if err != nil {
		model.Away, err = unavailableOr(ctx, err)
		return model, err
	}
	for _, one := range all {
		model.All = append(model.All, sessionModel(one))
		model.Others = model.Others || !one.Current
	}
	return model, nil
}

func sessionModel(one backend.Session) view.Session {
	model := view.Session{
		ID: decimal(one.ID), Name: one.Device, Since: minute(one.CreatedAt), LastUsed: minute(one.LastUsedAt), Current: one.Current,
	}
	switch {
	case one.Application != "":
		model.Name, model.What = one.Application, "The application"
	case one.Device == "":
		model.Name = "A browser"
	}
	return model
}

// myVotes answers GET /account/votes: all products that the person voted for, in
// pages, each of which is the fragment that htmx appends.
func (s *site) myVotes(w http.ResponseWriter, r *http.Request, who session.Session) error {
	model, err := s.votesModel(r.Context(), who, r.URL.Query().Get("cursor"))
	switch {
	case err != nil:
		return err
	case fragment(r) && model.Away:
		return fault.New(fault.Unavailable, "the catalogue is away just now")
	case fragment(r):
		return send(w, r, http.StatusOK, view.BatchFragment(model.Batch, plural(int64(len(model.Batch.Cards)), "more piece")+"."))
	}
	model.Continued = true
	return s.page(w, r, http.StatusOK, "Your votes", view.VotesSection(model))
}

// votesModel is one page of votes, the latest first, in the time of one section.
func (s *site) votesModel(ctx context.Context, who session.Session, cursor string) (view.MyVotes, error) {
	ctx, cancel := context.WithTimeout(ctx, backend.ReadTimeout)
	defer cancel()
	ids, next, err := s.services.Catalogue.MyVotes(ctx, who.Token, cursor, batchSize)
	var products []backend.Product
	if err == nil {
		products, err = s.services.Catalogue.Products(ctx, ids)
	}
	model := view.MyVotes{RetryURL: votesURL(cursor)}
	if kind := fault.KindOf(err); err != nil {
		if cursor == "" && kind != fault.Unauthenticated { // nobody asked for anything odd
			err = fault.New(fault.Unavailable, "the catalogue does not tell").Because(err)
		}
		model.Away, err = unavailableOr(ctx, err)
		return model, err
	}
	for _, p := range products {
		model.Batch.Cards = append(model.Batch.Cards, s.card(p, true))
	}
	if next != "" {
		model.Batch.MoreURL = votesURL(next)
	}
	return model, nil
}

func votesURL(cursor string) string {
	if cursor == "" {
		return "/account/votes"
	}
	return "/account/votes?" + url.Values{"cursor": {cursor}}.Encode()
}

// day is a date in words, in UTC; minute has the time too.
func day(t time.Time) string    { return t.UTC().Format("2 January 2006") }
func minute(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

package page

import (
	"cmp"
	"context"
	"net/http"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// account is a person's own page, and what they do there.
type account struct {
	*site
	auth      backend.Auth
	catalogue backend.Catalogue
}

// show answers GET /account.
func (h account) show(w http.ResponseWriter, r *http.Request, who session.Session) error {
	model := view.Account{Password: passwordForm(who.User.Name), Email: emailForm("")}
	switch r.URL.Query().Get("done") {
	case "password":
		model.Password.Done = passwordDone
	case "email":
		model.Email.Done = emailDone
	case "verification":
		model.Profile.Done = verificationDone
	case doneKnown:
		model.Profile.Done = knownDone
	case "session":
		model.Sessions.Done = sessionDone
	case "others":
		model.Sessions.Done = othersDone
	}
	return h.render(w, r, http.StatusOK, who, model)
}

// render fills the model in and sends it. It fetches everything at once; a section
// whose service is unavailable says so.
func (h account) render(
	w http.ResponseWriter, r *http.Request, status int, who session.Session, model view.Account,
) error {
	model.Admin = who.User.Role != token.RoleUser
	var profileErr, sessionsErr, votesErr error
	var wg sync.WaitGroup
	wg.Go(func() { model.Profile, profileErr = h.profile(r.Context(), who, model.Profile.Done) })
	wg.Go(func() { model.Sessions, sessionsErr = h.sessionsModel(r.Context(), who, model.Sessions.Done) })
	wg.Go(func() { model.Votes, votesErr = h.votesModel(r.Context(), who, "") })
	wg.Wait()
	if err := cmp.Or(profileErr, sessionsErr, votesErr); err != nil {
		return err
	}
	return h.page(w, r, status, "Your account", view.AccountPage(model))
}

// profile is the section of the person, which may say what was done.
func (h account) profile(ctx context.Context, who session.Session, done string) (view.Profile, error) {
	p, err := h.auth.Me(ctx, who.Token)
	if err != nil {
		unavailable, err := unavailableOr(ctx, err)
		return view.Profile{Unavailable: unavailable}, err
	}
	return view.Profile{
		Username: p.Username, Email: p.Email, Confirmed: p.EmailVerified, Role: roleLabel(p.Role), Since: day(p.CreatedAt),
		Done: done,
	}, nil
}

// sessionsModel is the section of sessions, which may say what was done.
func (h account) sessionsModel(ctx context.Context, who session.Session, done string) (view.Sessions, error) {
	model := view.Sessions{Done: done}
	all, err := h.auth.Sessions(ctx, who.Token)
	if err != nil {
		model.Unavailable, err = unavailableOr(ctx, err)
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
		ID: decimal(one.ID), Name: one.Device, Current: one.Current,
		Since: minute(one.CreatedAt), LastUsed: minute(one.LastUsedAt),
	}
	switch {
	case one.Application != "":
		model.Name, model.What = one.Application, "The application"
	case one.Device == "":
		model.Name = "A browser"
	}
	return model
}

// votes answers GET /account/votes: all products that the person voted for, in
// pages, each of which is the fragment that htmx appends.
func (h account) votes(w http.ResponseWriter, r *http.Request, who session.Session) error {
	model, err := h.votesModel(r.Context(), who, r.URL.Query().Get("cursor"))
	switch {
	case err != nil:
		return err
	case fragment(r) && model.Unavailable:
		return fault.New(fault.Unavailable, "the catalogue is not available right now")
	case fragment(r):
		said := plural(int64(len(model.Batch.Cards)), "more piece") + "."
		return send(w, r, http.StatusOK, view.BatchFragment(model.Batch, said))
	}
	model.Continued = true
	return h.page(w, r, http.StatusOK, "Your votes", view.VotesSection(model))
}

// votesModel is one page of votes, the latest first, within the time of one read.
func (h account) votesModel(ctx context.Context, who session.Session, cursor string) (view.MyVotes, error) {
	ctx, cancel := context.WithTimeout(ctx, h.pageTimeout)
	defer cancel()
	ids, next, err := h.catalogue.MyVotes(ctx, who.Token, cursor, batchSize)
	var products []backend.Product
	if err == nil {
		products, err = h.catalogue.Products(ctx, ids)
	}
	model := view.MyVotes{RetryURL: votesURL(cursor)}
	if err != nil {
		if cursor == "" && fault.KindOf(err) != fault.Unauthenticated { // the request asks for nothing odd
			err = fault.New(fault.Unavailable, "the catalogue does not tell").Because(err)
		}
		model.Unavailable, err = unavailableOr(ctx, err)
		return model, err
	}
	for _, p := range products {
		model.Batch.Cards = append(model.Batch.Cards, h.card(p, true))
	}
	if next != "" {
		model.Batch.MoreURL = votesURL(next)
	}
	return model, nil
}

func votesURL(cursor string) string { return withQuery("/account/votes", "cursor", cursor) }

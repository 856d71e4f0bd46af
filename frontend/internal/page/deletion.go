package page

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"

	"golang.org/x/sync/errgroup"
)

// deletionForm asks for the password.
func deletionForm() view.SignForm {
	return view.SignForm{
		ID: "deletion-form", Action: "/account/delete", Submit: "Delete my account",
		Fields: []*view.Field{{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"}},
	}
}

// askDeletion answers GET /account/delete.
func (h account) askDeletion(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return h.showDeletion(w, r, http.StatusOK, deletionForm())
}

// delete answers POST /account/delete.
func (h account) delete(w http.ResponseWriter, r *http.Request, who session.Session) error {
	values, err := form.Read(r, "password")
	if err != nil {
		return err
	}
	err = h.auth.DeleteMe(r.Context(), browser(r), who.Token, values.Get("password"))
	if err == nil {
		h.sessions.End(w, r)
		return redirectTo(w, r, "/login?why=deleted")
	}
	form := deletionForm()
	switch fault.KindOf(err) {
	case fault.Conflict:
		form.Problem = "You are the last admin, or your password was just changed elsewhere. Nothing was deleted."
	case fault.Unavailable:
		form.Problem = "Sign-in is not available right now. Nothing was deleted. Please try again in a moment."
	default: // see refuseForm
	}
	return refuseForm(w, r, form, err, func(status int, form view.SignForm) error {
		return h.showDeletion(w, r, status, form)
	})
}

func (h account) showDeletion(w http.ResponseWriter, r *http.Request, status int, form view.SignForm) error {
	return h.page(w, r, status, "Delete your account", view.SignPage(view.Sign{
		Heading: "Delete your account",
		Why: "This cannot be undone. Your votes are removed, and applications lose their access. " +
			"Pieces that you added stay. Nobody else gets your name for 30 days.",
		Form: form, Other: "Changed your mind?", OtherLabel: "Back to your account", OtherURL: "/account",
		Art: h.drawing("heart", "4"),
	}))
}

// export is the file of /account/export.
type export struct {
	ExportedAt time.Time       `json:"exported_at"`
	Account    json.RawMessage `json:"account"`
	Sessions   json.RawMessage `json:"sessions"` // those of applications are what the person let in
	Catalogue  json.RawMessage `json:"catalogue"`
}

// export answers GET /account/export with all that the services store about the person, or not at all.
func (h account) export(w http.ResponseWriter, r *http.Request, who session.Session) error {
	file := export{ExportedAt: h.settings.Now().UTC()}
	group, ctx := errgroup.WithContext(r.Context())
	for _, part := range []struct {
		into *json.RawMessage
		read func(ctx context.Context, path, bearer string) (json.RawMessage, http.Header, error)
		path string
	}{
		{&file.Account, h.auth.Raw, "/api/auth/me"},
		{&file.Sessions, h.auth.Raw, "/api/auth/sessions"},
		{&file.Catalogue, h.catalogue.Raw, "/api/me"},
	} {
		group.Go(func() (err error) {
			*part.into, _, err = part.read(ctx, part.path, who.Token)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(file, "", "  ")
	if err != nil {
		return err
	}
	private(w)
	w.Header().Set("Content-Disposition", `attachment; filename="craftista-`+who.User.Name+`.json"`)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(text, '\n')) // a reader who has hung up needs no answer
	return nil
}

package page

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// peoplePerPage is how many people are shown at once.
const peoplePerPage = 25

// people is where admins find people and change what they may do.
type people struct {
	*site
	auth backend.Auth
}

// admin answers GET /admin, which leads to what curators and admins do.
func (s *site) admin(w http.ResponseWriter, r *http.Request, who session.Session) error {
	var model view.Admin
	if who.User.Role == token.RoleAdmin {
		model.Doors = append(model.Doors, view.Door{
			Title: "People", URL: "/admin/people", Text: "Find people, change their roles, or disable their accounts.",
		})
	}
	model.Doors = append(model.Doors, view.Door{
		Title: "Pieces", URL: productListPath, Text: "Add, edit or delete pieces.",
	})
	return s.page(w, r, http.StatusOK, "Admin", view.AdminPage(model))
}

// search is which people are looked at, and a page's place among them.
type search struct{ text, cursor string }

func (q search) url() string { return withQuery("/admin/people", "q", q.text, "cursor", q.cursor) }

// list answers GET /admin/people.
func (h people) list(w http.ResponseWriter, r *http.Request, who session.Session) error {
	query := r.URL.Query()
	return h.render(w, r, http.StatusOK, who, search{query.Get("q"), query.Get("cursor")}, refused{})
}

// refused is a change of the person with that id which was not made; the zero value
// is none.
type refused struct {
	id  int64
	err error
}

const lastAdmin = "This is the last admin. Make somebody else an admin first."

// render shows a page of people, and why what was refused was.
func (h people) render(
	w http.ResponseWriter, r *http.Request, status int, who session.Session, q search, not refused,
) error {
	model := view.People{Query: q.text}
	people, next, err := h.auth.People(r.Context(), who.Token, q.text, q.cursor, peoplePerPage)
	if fault.KindOf(err) == fault.Invalid {
		web.RecordError(r.Context(), err)
		model.Problem = "Please search for part of a name or e-mail address."
		status = http.StatusUnprocessableEntity
	} else if model.Unavailable, err = unavailableOr(r.Context(), err); err != nil {
		return err
	}
	for _, p := range people {
		row := personRow(p, who, q)
		if decimal(p.ID) == r.URL.Query().Get("sent") {
			row.Done = resetSent
		}
		if p.ID == not.id {
			row.Note = lastAdmin
			if fragment(r) {
				return send(w, r, status, view.PersonView(row))
			}
		}
		model.Rows = append(model.Rows, row)
	}
	if fragment(r) && not.err != nil {
		return not.err
	}
	if next != "" {
		model.NextURL = search{q.text, next}.url()
	}
	return h.page(w, r, status, "People", view.PeoplePage(model))
}

// setRole answers POST /admin/people/{id}/role.
func (h people) setRole(w http.ResponseWriter, r *http.Request, who session.Session) error {
	return h.change(w, r, who, "role", func(ctx context.Context, id int64, role string) (backend.Person, error) {
		return h.auth.SetRole(ctx, who.Token, id, role)
	})
}

// setDisabled answers POST /admin/people/{id}/disabled.
func (h people) setDisabled(w http.ResponseWriter, r *http.Request, who session.Session) error {
	return h.change(w, r, who, "disabled", func(ctx context.Context, id int64, disabled string) (backend.Person, error) {
		wanted, err := strconv.ParseBool(disabled)
		if err != nil {
			return backend.Person{}, fault.New(fault.BadRequest, "disabled must be true or false")
		}
		return h.auth.SetDisabled(ctx, who.Token, id, wanted)
	})
}

const resetSent = "A password reset e-mail was sent."

// sendReset answers POST /admin/people/{id}/reset.
func (h people) sendReset(w http.ResponseWriter, r *http.Request, who session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	values, err := form.Read(r, "q", "cursor")
	if err != nil {
		return err
	}
	if err := h.auth.SendReset(r.Context(), who.Token, id); err != nil {
		return err
	}
	if fragment(r) {
		return send(w, r, http.StatusOK, view.Notice(resetSent))
	}
	back := withQuery("/admin/people", "q", values.Get("q"), "cursor", values.Get("cursor"), "sent", decimal(id))
	return redirectTo(w, r, back+"#person-"+decimal(id))
}

// change makes one change of a person and shows them as they are then.
func (h people) change(
	w http.ResponseWriter, r *http.Request, who session.Session, field string,
	do func(ctx context.Context, id int64, value string) (backend.Person, error),
) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	values, err := form.Read(r, "q", "cursor", field)
	if err != nil {
		return err
	}
	q := search{values.Get("q"), values.Get("cursor")}
	p, err := do(r.Context(), id, values.Get(field))
	switch {
	case fault.KindOf(err) == fault.Conflict:
		web.RecordError(r.Context(), err)
		return h.render(w, r, http.StatusConflict, who, q, refused{id, err})
	case err != nil:
		return err
	case id == who.User.ID:
		return h.changedSelf(w, r, p)
	case !fragment(r):
		return redirectTo(w, r, q.url()+"#person-"+decimal(id))
	}
	return send(w, r, http.StatusOK, view.PersonFragment(personRow(p, who, q), announceChange(p)))
}

// changedSelf shows at once what an admin did to themselves.
func (h people) changedSelf(w http.ResponseWriter, r *http.Request, p backend.Person) error {
	if p.Disabled {
		return h.signOut(w, r)
	}
	h.sessions.Renew(w, r)
	return redirectTo(w, r, "/account")
}

func personRow(p backend.Person, who session.Session, q search) view.PersonRow {
	row := view.PersonRow{
		ID: decimal(p.ID), Name: p.Username, Email: p.Email, Since: day(p.CreatedAt), Role: roleLabel(p.Role),
		Disabled: p.Disabled, Self: p.ID == who.User.ID, Query: q.text, Cursor: q.cursor,
	}
	for _, role := range []string{token.RoleUser, token.RoleCurator, token.RoleAdmin} {
		row.Roles = append(row.Roles, view.Option{Value: role, Label: roleLabel(role), Current: role == p.Role})
	}
	return row
}

func announceChange(p backend.Person) string {
	state := " is enabled. Role: "
	if p.Disabled {
		state = " is disabled. Role: "
	}
	return p.Username + state + roleLabel(p.Role) + "."
}

// roleLabel is a role as people read it.
func roleLabel(role string) string {
	if role == "" {
		return ""
	}
	return strings.ToUpper(role[:1]) + role[1:]
}

package page

import (
	"context"
	"net/http"
	"net/url"
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

// admin answers GET /admin, which leads to what curators and admins do.
func (s *site) admin(w http.ResponseWriter, r *http.Request, who session.Session) error {
	var model view.Admin
	if who.User.Role == token.RoleAdmin {
		model.Doors = append(model.Doors, view.Door{
			Title: "People", URL: "/admin/people", Text: "Find somebody, make them a curator or an admin, or keep them out.",
		})
	}
	model.Doors = append(model.Doors, view.Door{
		Title: "Pieces", URL: productListPath, Text: "Add a piece to the gallery, mend what one says, or take one out.",
	})
	return s.page(w, r, http.StatusOK, "Admin", view.AdminPage(model))
}

// search is which people are looked at, and a page's place among them.
type search struct{ text, cursor string }

func (q search) url() string {
	query := url.Values{}
	if q.text != "" {
		query.Set("q", q.text)
	}
	if q.cursor != "" {
		query.Set("cursor", q.cursor)
	}
	return (&url.URL{Path: "/admin/people", RawQuery: query.Encode()}).String()
}

// people answers GET /admin/people.
func (s *site) people(w http.ResponseWriter, r *http.Request, who session.Session) error {
	query := r.URL.Query()
	return s.peoplePage(w, r, http.StatusOK, who, search{query.Get("q"), query.Get("cursor")}, 0, "")
}

// peoplePage shows a page of people. note, unless it is "", is said of the person
// with the id noted.
func (s *site) peoplePage(w http.ResponseWriter, r *http.Request, status int, who session.Session, q search, noted int64, note string) error {
	model := view.People{Query: q.text}
	people, next, err := s.services.Auth.People(r.Context(), who.Token, q.text, q.cursor, peoplePerPage)
	switch fault.KindOf(err) {
	case fault.Invalid:
		web.NoteFailure(r.Context(), err)
		model.Problem, status = "That cannot be searched for. Look for a part of a name or an address.", http.StatusUnprocessableEntity
	default:
		if model.Away, err = unavailableOr(r.Context(), err); err != nil {
			return err
		}
	}
	for _, p := range people {
		row := personRow(p, who, q)
		if p.ID == noted {
			row.Note = note
		}
		model.Rows = append(model.Rows, row)
	}
	if next != "" {
		model.NextURL = search{q.text, next}.url()
	}
	return s.page(w, r, status, "People", view.PeoplePage(model))
}

// setRole answers POST /admin/people/{id}/role.
func (s *site) setRole(w http.ResponseWriter, r *http.Request, who session.Session) error {
	return s.change(w, r, who, "role", func(ctx context.Context, id int64, role string) (backend.Person, error) {
		return s.services.Auth.SetRole(ctx, who.Token, id, role)
	})
}

// setDisabled answers POST /admin/people/{id}/disabled.
func (s *site) setDisabled(w http.ResponseWriter, r *http.Request, who session.Session) error {
	return s.change(w, r, who, "disabled", func(ctx context.Context, id int64, disabled string) (backend.Person, error) {
		wanted, err := strconv.ParseBool(disabled)
		if err != nil {
			return backend.Person{}, fault.New(fault.BadRequest, "disabled must be true or false")
		}
		return s.services.Auth.SetDisabled(ctx, who.Token, id, wanted)
	})
}

// change makes one change of a person and shows them as they are then.
func (s *site) change(
	w http.ResponseWriter, r *http.Request, who session.Session, field string, do func(ctx context.Context, id int64, value string) (backend.Person, error),
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
		return s.refuseChange(w, r, who, q, id, err)
	case err != nil:
		return err
	case id == who.User.ID:
		return s.changedSelf(w, r, p)
	case !fragment(r):
		return redirectTo(w, r, q.url()+"#person-"+decimal(id))
	}
	return send(w, r, http.StatusOK, view.PersonFragment(personRow(p, who, q), announceChange(p)))
}

// changedSelf makes it show at once what an admin did to themselves.
func (s *site) changedSelf(w http.ResponseWriter, r *http.Request, p backend.Person) error {
	if p.Disabled {
		return s.logout(w, r)
	}
	s.sessions.Renew(w, r)
	return redirectTo(w, r, "/account")
}

// refuseChange shows the person as they are and why that stays so.
func (s *site) refuseChange(w http.ResponseWriter, r *http.Request, who session.Session, q search, id int64, refused error) error {
	web.NoteFailure(r.Context(), refused)
	const note = "This is the last admin. Make somebody else one first."
	if !fragment(r) {
		return s.peoplePage(w, r, http.StatusConflict, who, q, id, note)
	}
	people, _, err := s.services.Auth.People(r.Context(), who.Token, q.text, q.cursor, peoplePerPage)
	if err != nil {
		return err
	}
	for _, p := range people {
		if p.ID == id {
			row := personRow(p, who, q)
			row.Note = note
			return send(w, r, http.StatusConflict, view.PersonView(row))
		}
	}
	return refused
}

func personRow(p backend.Person, who session.Session, q search) view.PersonRow {
	row := view.PersonRow{
		ID: decimal(p.ID), Name: p.Username, Email: p.Email, Since: day(p.CreatedAt), Role: roleLabel(p.Role),
		Disabled: p.Disabled, Self: p.ID == who.User.ID, Query: q.text, Cursor: q.cursor,
	}
	for _, role := range []string{token.RoleUser, token.RoleCurator, token.RoleAdmin} {
		row.Roles = append(row.Roles, view.Role{Value: role, Label: roleLabel(role), Current: role == p.Role})
	}
	return row
}

func announceChange(p backend.Person) string {
	if p.Disabled {
		return p.Username + " is disabled. Role: " + roleLabel(p.Role) + "."
	}
	return p.Username + " is enabled. Role: " + roleLabel(p.Role) + "."
}

// roleLabel is a role as people read it.
func roleLabel(role string) string {
	if role == "" {
		return ""
	}
	return strings.ToUpper(role[:1]) + role[1:]
}

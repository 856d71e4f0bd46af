package page

import (
	"net/http"
	"strconv"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// newProduct answers GET /admin/pieces/new.
func (s *site) newProduct(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return s.showProduct(w, r, http.StatusOK, s.newProductForm(productInput{}))
}

// addProduct answers POST /admin/pieces/new.
func (s *site) addProduct(w http.ResponseWriter, r *http.Request, who session.Session) error {
	input, err := readProduct(r)
	if err != nil {
		return err
	}
	if err := checkKey(input.key); err != nil {
		return err
	}
	var p backend.Product
	err = s.write(r.Context(), who, &input, func(d backend.Draft) (err error) {
		p, err = s.services.Catalogue.Add(r.Context(), who.Token, input.key, d)
		return err
	})
	if err != nil {
		return s.refuseProduct(w, r, s.newProductForm(input), err)
	}
	return redirectToList(w, r, "added", p.ID)
}

// editProduct answers GET /admin/pieces/{id}/edit.
func (s *site) editProduct(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	p, tag, err := s.services.Catalogue.Edition(r.Context(), id)
	if err != nil {
		return err
	}
	input := productInput{Draft: p.Draft(), folds: strconv.Itoa(p.Folds), tag: tag}
	return s.showProduct(w, r, http.StatusOK, s.productForm(id, input))
}

// saveProduct answers POST /admin/pieces/{id}/edit.
func (s *site) saveProduct(w http.ResponseWriter, r *http.Request, who session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	input, err := readProduct(r)
	if err != nil {
		return err
	}
	if err := checkTag(input.tag); err != nil {
		return err
	}
	err = s.write(r.Context(), who, &input, func(d backend.Draft) error {
		return s.services.Catalogue.Edit(r.Context(), who.Token, id, input.tag, d)
	})
	switch fault.KindOf(err) {
	case fault.PreconditionFailed, fault.NotFound:
		web.NoteFailure(r.Context(), err)
		return s.conflict(w, r, id, input)
	default:
		if err != nil {
			return s.refuseProduct(w, r, s.productForm(id, input), err)
		}
	}
	return redirectToList(w, r, "saved", id)
}

// conflict shows what somebody else saved beside what was typed, or, of a product
// that somebody deleted, makes what was typed a new one. Where nothing differs,
// as after a double click, what was typed is saved.
func (s *site) conflict(w http.ResponseWriter, r *http.Request, id int64, input productInput) error {
	p, tag, err := s.services.Catalogue.Edition(r.Context(), id)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		form := s.newProductForm(input)
		form.Submit = "Add it as a new piece"
		form.Problem = "Somebody deleted this piece meanwhile. What you typed is still here, and can become a new one."
		form.ProblemFocus = true
		return s.showProduct(w, r, http.StatusPreconditionFailed, form)
	case err != nil:
		return s.refuseProduct(w, r, s.productForm(id, input), err)
	case p.Draft() == input.Draft:
		return redirectToList(w, r, "saved", id)
	}
	input.tag = tag
	form := s.productForm(id, input)
	form.Conflict, form.Submit, form.TheirsURL = true, "Save mine anyway", form.Action
	s.setTheirs(&form, input, p)
	return s.showProduct(w, r, http.StatusPreconditionFailed, form)
}

// refuseProduct shows the form again with what is wrong. To htmx a failure that is
// no rule's is one sentence, and the form stays as it is.
func (s *site) refuseProduct(w http.ResponseWriter, r *http.Request, form view.ProductForm, err error) error {
	f := web.FaultOf(err)
	switch {
	case f.Kind == fault.Invalid:
		markProduct(&form, f.Fields)
	case f.Kind == fault.Unauthenticated:
		web.NoteFailure(r.Context(), err)
		return s.keepForm(w, r, form)
	case fragment(r):
		return err
	default:
		form.Problem, form.ProblemFocus = notice(f, s.failure(f)), true
	}
	web.NoteFailure(r.Context(), err)
	web.SetFaultHeaders(w.Header(), f)
	return s.showProduct(w, r, web.Status(f.Kind), form)
}

func (s *site) showProduct(w http.ResponseWriter, r *http.Request, status int, form view.ProductForm) error {
	if fragment(r) {
		return send(w, r, status, view.ProductFormView(form))
	}
	return s.page(w, r, status, form.Heading, view.ProductFormPage(form))
}

// setTheirs puts what somebody else saved beside what differs from it.
func (s *site) setTheirs(form *view.ProductForm, input productInput, p backend.Product) {
	theirs := func(field *view.ProductField, mine, other string) {
		if mine != other {
			field.Theirs = other
		}
	}
	theirs(&form.Name, input.Name, p.Name)
	theirs(&form.Description, input.Description, p.Description)
	theirs(&form.Difficulty, level(input.Difficulty).Label, level(p.Difficulty).Label)
	theirs(&form.Folds, input.folds, strconv.Itoa(p.Folds))
	theirs(&form.Paper, input.Paper, p.Paper)
	if input.ImageURL != p.ImageURL {
		form.Picture.Theirs, form.TheirArt = s.drawingLabel(p.ImageURL), s.art(p, "")
	}
}

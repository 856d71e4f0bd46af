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

// new answers GET /admin/pieces/new.
func (h adminProducts) new(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return h.showForm(w, r, http.StatusOK, h.newForm(productInput{}))
}

// add answers POST /admin/pieces/new.
func (h adminProducts) add(w http.ResponseWriter, r *http.Request, who session.Session) error {
	input, err := readProduct(r)
	if err != nil {
		return err
	}
	if len(input.key) > 100 || !plainName.MatchString(input.key) {
		return fault.New(fault.BadRequest, "the form does not say which piece it is")
	}
	var p backend.Product
	err = h.write(r.Context(), who, &input, func(d backend.Draft) (err error) {
		p, err = h.catalogue.Add(r.Context(), who.Token, input.key, d)
		return err
	})
	if err != nil {
		return h.refuse(w, r, h.newForm(input), err)
	}
	return redirectToList(w, r, "added", p.ID)
}

// edit answers GET /admin/pieces/{id}/edit.
func (h adminProducts) edit(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	p, tag, err := h.catalogue.Edition(r.Context(), id)
	if err != nil {
		return err
	}
	input := productInput{Draft: p.Draft(), folds: strconv.Itoa(p.Folds), tag: tag}
	return h.showForm(w, r, http.StatusOK, h.editForm(id, input))
}

// save answers POST /admin/pieces/{id}/edit.
func (h adminProducts) save(w http.ResponseWriter, r *http.Request, who session.Session) error {
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
	err = h.write(r.Context(), who, &input, func(d backend.Draft) error {
		return h.catalogue.Edit(r.Context(), who.Token, id, input.tag, d)
	})
	switch fault.KindOf(err) {
	case fault.None:
		return redirectToList(w, r, "saved", id)
	case fault.PreconditionFailed, fault.NotFound:
		web.RecordError(r.Context(), err)
		return h.conflict(w, r, id, input)
	default:
		return h.refuse(w, r, h.editForm(id, input), err)
	}
}

// conflict shows what somebody else saved beside what was typed, or, of a product
// that somebody deleted, makes what was typed a new one. Where nothing differs,
// as after a double click, what was typed is saved.
func (h adminProducts) conflict(w http.ResponseWriter, r *http.Request, id int64, input productInput) error {
	p, tag, err := h.catalogue.Edition(r.Context(), id)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		form := h.newForm(input)
		form.Submit = "Add as a new piece"
		form.Problem = "Somebody else deleted this piece. What you typed is still here, and you can add it as a new piece."
		form.ProblemFocus = true
		return h.showForm(w, r, http.StatusPreconditionFailed, form)
	case err != nil:
		return h.refuse(w, r, h.editForm(id, input), err)
	case p.Draft() == input.Draft:
		return redirectToList(w, r, "saved", id)
	}
	input.tag = tag
	form := h.editForm(id, input)
	form.Conflict, form.Submit, form.TheirsURL = true, "Save mine anyway", form.Action
	h.setTheirs(&form, input, p)
	return h.showForm(w, r, http.StatusPreconditionFailed, form)
}

// refuse shows the form again with what is wrong. To htmx a failure that is
// no rule's is one sentence, and the form stays as it is.
func (h adminProducts) refuse(w http.ResponseWriter, r *http.Request, form view.ProductForm, err error) error {
	f := web.FaultOf(err)
	switch {
	case f.Kind == fault.Invalid:
		markProduct(&form, f.Fields)
	case f.Kind == fault.Unauthenticated:
		web.RecordError(r.Context(), err)
		return h.keepInput(w, r, form)
	case fragment(r):
		return err
	default:
		form.Problem, form.ProblemFocus = notice(f, h.failure(f)), true
	}
	web.RecordError(r.Context(), err)
	web.SetFaultHeaders(w.Header(), f)
	return h.showForm(w, r, web.Status(f.Kind), form)
}

func (h adminProducts) showForm(w http.ResponseWriter, r *http.Request, status int, form view.ProductForm) error {
	return h.reply(w, r, status, form.Heading, view.ProductFormView(form), view.ProductFormPage(form))
}

// setTheirs puts what somebody else saved beside what differs from it.
func (h adminProducts) setTheirs(form *view.ProductForm, input productInput, p backend.Product) {
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
	theirs(&form.Maker, input.Maker, p.Maker)
	theirs(&form.Instructions, input.InstructionsURL, p.InstructionsURL)
	if input.ImageURL != p.ImageURL {
		form.Picture.Theirs, form.TheirArt = h.drawingLabel(p.ImageURL), h.art(p, "")
	}
}

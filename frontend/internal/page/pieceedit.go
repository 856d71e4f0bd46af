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

// newPiece answers GET /admin/pieces/new.
func (s *site) newPiece(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return s.showPiece(w, r, http.StatusOK, s.newPieceForm(pieceTyped{}))
}

// addPiece answers POST /admin/pieces/new.
func (s *site) addPiece(w http.ResponseWriter, r *http.Request, who session.Session) error {
	typed, err := readPiece(r)
	if err != nil {
		return err
	}
	if err := checkKey(typed.key); err != nil {
		return err
	}
	var p backend.Product
	err = s.write(r.Context(), who, &typed, func(d backend.Draft) (err error) {
		p, err = s.services.Catalogue.Add(r.Context(), who.Token, typed.key, d)
		return err
	})
	if err != nil {
		return s.refusePiece(w, r, s.newPieceForm(typed), err)
	}
	return shelfAfter(w, r, "added", p.ID)
}

// editPiece answers GET /admin/pieces/{id}/edit.
func (s *site) editPiece(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	p, tag, err := s.services.Catalogue.Edition(r.Context(), id)
	if err != nil {
		return err
	}
	typed := pieceTyped{Draft: p.Draft(), folds: strconv.Itoa(p.Folds), tag: tag}
	return s.showPiece(w, r, http.StatusOK, s.pieceForm(id, typed))
}

// savePiece answers POST /admin/pieces/{id}/edit.
func (s *site) savePiece(w http.ResponseWriter, r *http.Request, who session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	typed, err := readPiece(r)
	if err != nil {
		return err
	}
	if err := checkTag(typed.tag); err != nil {
		return err
	}
	err = s.write(r.Context(), who, &typed, func(d backend.Draft) error {
		return s.services.Catalogue.Edit(r.Context(), who.Token, id, typed.tag, d)
	})
	switch fault.KindOf(err) {
	case fault.PreconditionFailed, fault.NotFound:
		web.NoteFailure(r.Context(), err)
		return s.conflict(w, r, id, typed)
	default:
		if err != nil {
			return s.refusePiece(w, r, s.pieceForm(id, typed), err)
		}
	}
	return shelfAfter(w, r, "saved", id)
}

// conflict shows what somebody else saved beside what was typed, or, of a piece
// that somebody deleted, makes what was typed a new one. Where nothing differs,
// as after a double click, what was typed is saved.
func (s *site) conflict(w http.ResponseWriter, r *http.Request, id int64, typed pieceTyped) error {
	p, tag, err := s.services.Catalogue.Edition(r.Context(), id)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		form := s.newPieceForm(typed)
		form.Submit = "Add it as a new piece"
		form.Problem = "Somebody deleted this piece meanwhile. What you typed is still here, and can become a new one."
		form.ProblemFocus = true
		return s.showPiece(w, r, http.StatusPreconditionFailed, form)
	case err != nil:
		return s.refusePiece(w, r, s.pieceForm(id, typed), err)
	case p.Draft() == typed.Draft:
		return shelfAfter(w, r, "saved", id)
	}
	typed.tag = tag
	form := s.pieceForm(id, typed)
	form.Conflict, form.Submit, form.TheirsURL = true, "Save mine anyway", form.Action
	s.setTheirs(&form, typed, p)
	return s.showPiece(w, r, http.StatusPreconditionFailed, form)
}

// refusePiece shows the form again with what is wrong. To htmx a failure that is
// no rule's is one sentence, and the form stays as it is.
func (s *site) refusePiece(w http.ResponseWriter, r *http.Request, form view.PieceForm, err error) error {
	f := web.FaultOf(err)
	switch {
	case f.Kind == fault.Invalid:
		markPiece(&form, f.Fields)
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
	return s.showPiece(w, r, web.Status(f.Kind), form)
}

func (s *site) showPiece(w http.ResponseWriter, r *http.Request, status int, form view.PieceForm) error {
	if fragment(r) {
		return send(w, r, status, view.PieceFormView(form))
	}
	return s.page(w, r, status, form.Heading, view.PieceFormPage(form))
}

// setTheirs puts what somebody else saved beside what differs from it.
func (s *site) setTheirs(form *view.PieceForm, typed pieceTyped, p backend.Product) {
	theirs := func(field *view.PieceField, mine, other string) {
		if mine != other {
			field.Theirs = other
		}
	}
	theirs(&form.Name, typed.Name, p.Name)
	theirs(&form.Description, typed.Description, p.Description)
	theirs(&form.Difficulty, level(typed.Difficulty).Label, level(p.Difficulty).Label)
	theirs(&form.Folds, typed.folds, strconv.Itoa(p.Folds))
	theirs(&form.Paper, typed.Paper, p.Paper)
	if typed.ImageURL != p.ImageURL {
		form.Picture.Theirs, form.TheirArt = s.drawingLabel(p.ImageURL), s.art(p, "")
	}
}

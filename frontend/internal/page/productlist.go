package page

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

const (
	productListPath = "/admin/pieces"
	productsPerPage = 25
)

// adminProducts is where curators edit the catalogue.
type adminProducts struct {
	*site
	catalogue backend.Catalogue
}

// preservingInput is forCurators for a form that took a while to fill in: whoever is
// no longer signed in gets it back, see refuse. Only what is no such form, so
// that there is nothing to keep, leads to sign-in as everything else does.
func (h adminProducts) preservingInput(next personHandler) web.Handler {
	curators := h.forCurators(next)
	return func(w http.ResponseWriter, r *http.Request) error {
		who := session.From(r.Context())
		if who.State == session.SignedIn {
			return curators(w, r)
		}
		err := next(w, r, who)
		if err == nil {
			return nil
		}
		web.RecordError(r.Context(), err)
		return curators(w, r)
	}
}

// keepInput answers a form whose person's session has ended: they sign in beside
// it and send it again. By htmx it never left their page.
func (h adminProducts) keepInput(w http.ResponseWriter, r *http.Request, form view.ProductForm) error {
	if session.From(r.Context()).State == session.SignedIn { // by the token, but the catalogue refused it
		h.sessions.End(w, r)
		r = r.WithContext(session.WithoutSession(r.Context()))
	}
	form.SignInURL = "/login?" + url.Values{"next": {productListPath}, "why": {"form"}}.Encode()
	if fragment(r) {
		form.Problem = "Your session has ended. What you typed is still here: sign in, then send it again."
		return send(w, r, http.StatusUnauthorized, view.ProductProblem(form))
	}
	form.Problem = "Your session has ended. What you typed is still here, only a file has to be chosen again: " +
		"sign in, then send it again."
	return h.page(w, r, http.StatusUnauthorized, form.Heading, view.ProductFormPage(form))
}

// list answers GET /admin/pieces.
func (h adminProducts) list(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	query, status := r.URL.Query(), http.StatusOK
	model := view.ProductList{Query: query.Get("q")}
	var products []backend.Product
	var next string
	var err error
	var wg sync.WaitGroup
	wg.Go(func() {
		products, next, err = h.catalogue.Find(r.Context(), backend.Listing{
			Query: model.Query, Sort: "name", Cursor: query.Get("cursor"), Limit: productsPerPage,
		})
	})
	wg.Go(func() { h.sayDone(r.Context(), query, &model) })
	wg.Wait()
	if fault.KindOf(err) == fault.Invalid {
		web.RecordError(r.Context(), err)
		model.Problem = "This list cannot be shown. Search for something else, or show all pieces."
		status = http.StatusUnprocessableEntity
	} else if model.Unavailable, err = unavailableOr(r.Context(), err); err != nil {
		return err
	}
	for _, p := range products {
		model.Rows = append(model.Rows, view.ProductRow{
			ID: decimal(p.ID), Name: p.Name, URL: productURL(p.ID), Art: h.art(p, ""),
			Votes: plural(p.Votes, "vote"), Updated: day(p.UpdatedAt),
		})
	}
	if next != "" {
		model.NextURL = productListPath + "?" + url.Values{"q": {model.Query}, "cursor": {next}}.Encode()
	}
	return h.page(w, r, status, "Pieces", view.ProductListPage(model))
}

// sayDone says what led here, see redirectToList.
func (h adminProducts) sayDone(ctx context.Context, query url.Values, model *view.ProductList) {
	did, ok := map[string]string{"added": "was added to the gallery.", "saved": "was saved."}[query.Get("done")]
	id, err := strconv.ParseInt(query.Get("piece"), 10, 64)
	switch {
	case query.Get("done") == "deleted":
		model.DoneName, model.Done = "The piece", "was deleted."
		return
	case !ok || err != nil || id < 1:
		return
	}
	model.DoneName, model.Done, model.DoneURL = "The piece", did, productURL(id)
	p, err := h.catalogue.Product(ctx, id)
	if err != nil {
		web.RecordError(ctx, err)
		return
	}
	model.DoneName = p.Name
}

// redirectToList leads to the list, which says what was done to the product.
func redirectToList(w http.ResponseWriter, r *http.Request, done string, id int64) error {
	return redirectTo(w, r, productListPath+"?"+url.Values{"done": {done}, "piece": {decimal(id)}}.Encode())
}

// editURL is where the person edits the product, "" for those who may not.
func editURL(who session.Session, id int64) string {
	if who.User.Role == token.RoleCurator || who.User.Role == token.RoleAdmin {
		return productListPath + "/" + decimal(id) + "/edit"
	}
	return ""
}

// confirmRemoval answers GET /admin/pieces/{id}/delete.
func (h adminProducts) confirmRemoval(w http.ResponseWriter, r *http.Request, _ session.Session) error {
	return h.askRemoval(w, r, http.StatusOK, "")
}

// remove answers POST /admin/pieces/{id}/delete. Whoever deletes what is deleted
// already has what they wanted.
func (h adminProducts) remove(w http.ResponseWriter, r *http.Request, who session.Session) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	values, err := form.Read(r, "tag")
	if err != nil {
		return err
	}
	if err := checkTag(values.Get("tag")); err != nil {
		return err
	}
	err = h.catalogue.Remove(r.Context(), who.Token, id, values.Get("tag"))
	switch fault.KindOf(err) {
	case fault.None:
	case fault.PreconditionFailed:
		web.RecordError(r.Context(), err)
		const problem = "Somebody else has changed this piece. Please check it before you delete it."
		return h.askRemoval(w, r, http.StatusPreconditionFailed, problem)
	case fault.NotFound:
		web.RecordError(r.Context(), err)
	default:
		return err
	}
	return redirectToList(w, r, "deleted", id)
}

func (h adminProducts) askRemoval(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	p, tag, err := h.catalogue.Edition(r.Context(), id)
	if err != nil {
		return err
	}
	model := view.ProductRemoval{
		Name: p.Name, Votes: plural(p.Votes, "vote"), Art: h.art(p, ""), Tag: tag, Problem: problem,
		Action: productListPath + "/" + decimal(id) + "/delete", BackURL: productListPath,
	}
	return h.reply(w, r, status, "Delete "+p.Name, view.RemovalForm(model), view.RemovalPage(model))
}

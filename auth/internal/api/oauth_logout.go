package api

import (
	"net/http"

	"craftista/shared/web"
)

type loggedOut struct {
	Message string `json:"message"`
}

// logout answers GET and POST /oauth2/logout, a person whom nothing leads on with a page.
func (o oauth) logout(w http.ResponseWriter, r *http.Request) error {
	q, err := params(r)
	if err != nil {
		return err
	}
	to, err := o.Provider.Logout(r.Context(), q)
	if err != nil {
		return err
	}
	if to != "" {
		seeOther(w, to)
		return nil
	}
	if wantsPage(w, r) {
		o.page(w, http.StatusOK)
		return nil
	}
	return web.Reply(w, http.StatusOK, loggedOut{Message: "signed out of the application"})
}

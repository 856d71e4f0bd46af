package page_test

import (
	"net/http"
	"slices"
)

// serveMails has one token that is good, and sends no mail to busy@ and away@.
func (w *website) serveMails() {
	onItsWay := reply{http.StatusAccepted, map[string]any{"message": "on its way"}}
	w.auth.on("POST /api/auth/password/forgot", func(c *call) any {
		w.mailedTo = append(w.mailedTo, c.in["email"])
		switch {
		case !c.onBehalf():
			return refuse(http.StatusInternalServerError, "whose address is this")
		case c.in["email"] == "":
			return refuse(http.StatusUnprocessableEntity, "rules", "email", "must be one e-mail address")
		case c.in["email"] == "busy@b.example":
			return c.tooManyTries()
		case c.in["email"] == "away@b.example":
			return refuse(http.StatusServiceUnavailable, "this installation sends no mail")
		}
		return onItsWay
	})
	w.auth.on("POST /api/auth/password/reset", func(c *call) any {
		switch replacement := c.in["new_password"].(string); {
		case c.in["token"] != "t0k3n":
			return refuse(http.StatusUnprocessableEntity, "the link does not work any more", "token", "is used up")
		case len(replacement) < 10:
			return refuse(http.StatusUnprocessableEntity, "rules", "new_password", "must be longer")
		}
		return nil
	})
	w.auth.on("POST /api/auth/email/confirm", func(c *call) any {
		switch c.in["token"] {
		case "t0k3n":
			return nil
		case "taken":
			return refuse(http.StatusConflict, "the e-mail address is taken")
		}
		return refuse(http.StatusUnprocessableEntity, "the link does not work any more", "token", "is used up")
	})
	w.auth.onBearer("POST /api/auth/email/verification", func(*call) any {
		if w.verified {
			return refuse(http.StatusConflict, "the e-mail address is confirmed already")
		}
		return onItsWay
	})
	w.auth.onBearer("POST /api/auth/email", func(c *call) any {
		switch {
		case !c.onBehalf():
			return refuse(http.StatusInternalServerError, "whose address is this")
		case c.in["email"] == "away@b.example":
			return refuse(http.StatusServiceUnavailable, "this installation sends no mail")
		case c.in["password"] != w.password:
			return refuse(http.StatusUnprocessableEntity, "rules", "password", "is wrong")
		}
		return onItsWay
	})
	w.auth.onBearer("POST /api/auth/me/delete", func(c *call) any {
		switch {
		case !c.onBehalf():
			return refuse(http.StatusInternalServerError, "whose address is this")
		case c.in["password"] == "last":
			return refuse(http.StatusConflict, "this is the last admin")
		case c.in["password"] != w.password:
			return refuse(http.StatusUnprocessableEntity, "rules", "password", "is wrong")
		}
		w.ended = append(w.ended, c.URL.Path)
		return nil
	})
	w.product.onBearer("GET /api/me", always(map[string]any{"votes": []any{}, "added": []any{}}))
	w.auth.onBearer("POST /api/auth/users/{id}/reset", func(c *call) any {
		if !slices.Contains([]string{"7", "8"}, c.PathValue("id")) {
			return refuse(http.StatusNotFound, "nobody who may sign in has that id")
		}
		w.mailedTo = append(w.mailedTo, c.PathValue("id"))
		return onItsWay
	})
}

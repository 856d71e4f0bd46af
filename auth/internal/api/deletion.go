package api

import (
	"net/http"

	"craftista/shared/token"
)

type deletionRequest struct {
	Password string `json:"password"`
}

// deleteMe answers POST /api/auth/me/delete.
func (a accounts) deleteMe(w http.ResponseWriter, r *http.Request, in deletionRequest) error {
	id := token.UserFrom(r.Context()).ID
	return noContent(w, a.Deletions.Delete(r.Context(), network(a.InternalKey, r), id, in.Password))
}

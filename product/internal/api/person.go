package api

import (
	"net/http"
	"time"

	"craftista/product/internal/core"
	"craftista/shared/token"
	"craftista/shared/web"
)

type person struct{ catalogue *core.Catalogue }

type personReply struct {
	Votes []actReply `json:"votes"`
	Added []actReply `json:"added"`
}

type actReply struct {
	OrigamiID int64     `json:"origami_id"`
	Name      string    `json:"name"`
	At        time.Time `json:"at"`
}

// show answers GET /api/me with what is stored about whoever asks.
func (h person) show(w http.ResponseWriter, r *http.Request) error {
	data, err := h.catalogue.PersonData(r.Context(), token.UserFrom(r.Context()).ID)
	if err != nil {
		return err
	}
	return web.ReplyJSONWithETag(w, r, "private, "+revalidate, personReply{acts(data.Votes), acts(data.Added)})
}

func acts(all []core.Act) []actReply {
	replies := make([]actReply, len(all)) // none is [], not null
	for i, a := range all {
		replies[i] = actReply{OrigamiID: a.ProductID, Name: a.Name, At: a.At}
	}
	return replies
}

// forget answers DELETE /api/me, which takes back all votes of whoever asks.
func (h person) forget(w http.ResponseWriter, r *http.Request) error {
	if err := h.catalogue.Forget(r.Context(), token.UserFrom(r.Context()).ID); err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

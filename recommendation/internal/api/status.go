package api

import (
	"context"
	"net/http"
	"time"

	"craftista/shared/health"
	"craftista/shared/web"
)

const statusTimeout = 2 * time.Second

// status tells people, rather than orchestrators, how the service is.
type status struct{ database health.Check }

type statusReply struct {
	Status         string `json:"status"`          // operational or degraded
	DatabaseStatus string `json:"database_status"` // operational or down
}

// show answers GET /api/recommendation-status, always with 200: the report itself succeeded. Whoever goes by the status
// code asks /readyz.
func (s status) show(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), statusTimeout)
	defer cancel()
	reply := statusReply{Status: "operational", DatabaseStatus: "operational"}
	if s.database(ctx) != nil {
		reply = statusReply{Status: "degraded", DatabaseStatus: "down"}
	}
	return web.ReplyJSONWithETag(w, r, "no-cache", reply)
}

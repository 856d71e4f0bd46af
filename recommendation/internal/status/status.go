// Package status tells people, rather than orchestrators, how the service is.
package status

import (
	"context"
	"net/http"
	"time"

	"craftista/shared/health"
	"craftista/shared/web"
)

// timeout bounds the look at the database.
const timeout = 2 * time.Second

// Status reports on the service. It is safe for concurrent use.
type Status struct{ database health.Check }

// New returns a report that looks at the database with the given check.
func New(database health.Check) Status { return Status{database} }

type statusReply struct {
	Status         string `json:"status"`          // operational or degraded
	DatabaseStatus string `json:"database_status"` // operational or down
}

// Show answers GET /api/recommendation-status, always with 200: the report
// itself succeeded. /readyz is for whoever goes by the status code.
func (s Status) Show(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	reply := statusReply{Status: "operational", DatabaseStatus: "operational"}
	if s.database(ctx) != nil {
		reply = statusReply{Status: "degraded", DatabaseStatus: "down"}
	}
	return web.ReplyTagged(w, r, "no-cache", reply)
}

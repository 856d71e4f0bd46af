package origami

import (
	"net/http"
	"strconv"

	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

const (
	defaultPicks = 4
	maxPicks     = 100
)

// Picks recommends pieces. It is safe for concurrent use.
type Picks struct{ store *Store }

// NewPicks returns the picks from the store.
func NewPicks(s *Store) Picks { return Picks{s} }

type pickReply struct {
	product
	Reason string `json:"reason"` // a phrase for people
}

// List answers GET /api/recommendations?limit=. Nobody in the context gets what
// is popular. The answer is one person's and their next vote changes it, so a
// cache asks each time.
func (p Picks) List(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitParam(r)
	if err != nil {
		return err
	}
	picks, err := p.store.picks(r.Context(), token.UserFrom(r.Context()).ID, limit)
	if err != nil {
		return err
	}
	reply := make([]pickReply, len(picks))
	for i, pick := range picks {
		reply[i] = pickReply{product: pick.product, Reason: pick.reason()}
		reply[i].CreatedAt, reply[i].UpdatedAt = pick.CreatedAt.UTC(), pick.UpdatedAt.UTC()
	}
	return web.ReplyTagged(w, r, "private, no-cache", reply)
}

func (p pick) reason() string {
	switch {
	case p.Affinity > 0:
		return "Loved by people who like your picks"
	case p.Votes > 0:
		return "Popular with everyone"
	default:
		return "Waiting for its first vote"
	}
}

func limitParam(r *http.Request) (int, error) {
	query, err := web.Query(r)
	text := query.Get("limit")
	if err != nil || text == "" {
		return defaultPicks, err
	}
	limit, err := strconv.Atoi(text)
	var checks fault.Checks
	checks.Require(err == nil && limit >= 1 && limit <= maxPicks, "limit", "must be a whole number from 1 to 100")
	return limit, checks.Err()
}

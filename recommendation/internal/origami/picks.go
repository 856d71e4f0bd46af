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
	return replyPicks(w, r, "private, no-cache", picks, "Loved by people who like your picks")
}

// replyPicks sends the picks; closeBy is the reason of those with an affinity.
func replyPicks(w http.ResponseWriter, r *http.Request, cacheControl string, picks []pick, closeBy string) error {
	reply := make([]pickReply, len(picks))
	for i, pick := range picks {
		reply[i] = pickReply{product: pick.product, Reason: pick.reason(closeBy)}
		reply[i].CreatedAt, reply[i].UpdatedAt = pick.CreatedAt.UTC(), pick.UpdatedAt.UTC()
	}
	return web.ReplyTagged(w, r, cacheControl, reply)
}

func (p pick) reason(closeBy string) string {
	switch {
	case p.Affinity > 0:
		return closeBy
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

package api

import (
	"net/http"
	"strconv"
	"time"

	"craftista/recommendation/internal/recommend"
	"craftista/shared/token"
	"craftista/shared/web"
)

type picks struct{ recommend.Recommender }

type pickReply struct {
	ID          int64     `json:"id"`
	Name        string    `json:"name"`
	Description string    `json:"description"`
	ImageURL    string    `json:"image_url"`
	Votes       int64     `json:"votes"`
	Difficulty  string    `json:"difficulty"`
	Folds       int       `json:"folds"`
	Paper       string    `json:"paper"`
	CreatedAt   time.Time `json:"created_at"`
	UpdatedAt   time.Time `json:"updated_at"`
	Reason      string    `json:"reason"` // a phrase for people
}

// list answers GET /api/recommendations?limit=. Anonymous callers get what is popular. The answer is one person's and
// their next vote changes it, so a cache asks each time.
func (p picks) list(w http.ResponseWriter, r *http.Request) error {
	limit, err := limitParam(r)
	if err != nil {
		return err
	}
	chosen, err := p.Picks(r.Context(), token.UserFrom(r.Context()).ID, limit)
	if err != nil {
		return err
	}
	return replyPicks(w, r, "private, no-cache", chosen)
}

// alsoLiked answers GET /api/origamis/{id}/also-liked?limit=: what the people who voted for that product like besides
// it.
func (p picks) alsoLiked(w http.ResponseWriter, r *http.Request) error {
	id, err := web.PathID(r)
	if err != nil {
		return err
	}
	limit, err := limitParam(r)
	if err != nil {
		return err
	}
	chosen, err := p.AlsoLiked(r.Context(), id, limit)
	if err != nil {
		return err
	}
	return replyPicks(w, r, briefly, chosen)
}

// replyPicks sends the picks; policy is Cache-Control.
func replyPicks(w http.ResponseWriter, r *http.Request, policy string, chosen []recommend.Pick) error {
	reply := make([]pickReply, len(chosen))
	for i, p := range chosen {
		reply[i] = pickReply{
			ID: p.ID, Name: p.Name, Description: p.Description, ImageURL: p.ImageURL, Votes: p.Votes,
			Difficulty: p.Difficulty, Folds: p.Folds, Paper: p.Paper,
			CreatedAt: p.CreatedAt.UTC(), UpdatedAt: p.UpdatedAt.UTC(), Reason: p.Reason(),
		}
	}
	return web.ReplyJSONWithETag(w, r, policy, reply)
}

func limitParam(r *http.Request) (int, error) {
	return param(r, "limit", "must be a whole number from 1 to 100", 4, func(text string) (int, error) {
		limit, err := strconv.Atoi(text)
		if limit < 1 || limit > 100 {
			err = strconv.ErrRange
		}
		return limit, err
	})
}

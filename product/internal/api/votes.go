package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// maxIDs bounds the ids of one request for a user's votes: a page of the gallery.
const maxIDs = core.MaxLimit

type votes struct{ catalogue *core.Catalogue }

type countReply struct {
	OrigamiID int64 `json:"origami_id"`
	Votes     int64 `json:"votes"`
}

type voteReply struct {
	OrigamiID    int64  `json:"origami_id"`
	NewVoteCount int64  `json:"new_vote_count"`
	Message      string `json:"message"`
	Voted        bool   `json:"voted"`
}

type mineReply struct {
	OrigamiIDs []int64      `json:"origami_ids"`
	Counts     []countReply `json:"counts,omitempty"`
}

// count answers GET /api/origamis/{id}/votes.
func (h votes) count(w http.ResponseWriter, r *http.Request, id int64) error {
	cached, source, err := h.catalogue.Encoded(r.Context(), id)
	if err != nil {
		return err
	}
	var p struct {
		Votes int64 `json:"votes"`
	}
	if err := json.Unmarshal(cached.Body, &p); err != nil {
		return fmt.Errorf("read a cached product: %w", err)
	}
	w.Header().Set("X-Cache", string(source))
	return web.ReplyJSONWithETag(w, r, revalidate, countReply{OrigamiID: id, Votes: p.Votes})
}

// change answers POST and DELETE /api/origamis/{id}/vote. It reads no body.
func (h votes) change(do func(ctx context.Context, productID, userID int64) (int64, error), voted bool) web.Handler {
	message := "vote recorded"
	if !voted {
		message = "vote taken back"
	}
	return withID(func(w http.ResponseWriter, r *http.Request, id int64) error {
		n, err := do(r.Context(), id, token.UserFrom(r.Context()).ID)
		if err != nil {
			return err
		}
		return web.Reply(w, http.StatusOK, voteReply{OrigamiID: id, NewVoteCount: n, Message: message, Voted: voted})
	})
}

// mine answers GET /api/votes/mine: which of ids the user voted for and
// the counts of all of them, or without ids a page of all the user's.
func (h votes) mine(w http.ResponseWriter, r *http.Request) error {
	query, err := web.Query(r)
	if err != nil {
		return err
	}
	if !query.Has("ids") {
		return h.latest(w, r, query)
	}
	ids, err := readIDs(query.Get("ids"), maxIDs)
	if err != nil {
		return err
	}
	counts, err := h.catalogue.VotedFor(r.Context(), token.UserFrom(r.Context()).ID, ids)
	if err != nil {
		return err
	}
	reply := mineReply{OrigamiIDs: []int64{}}
	for _, c := range counts {
		reply.Counts = append(reply.Counts, countReply{OrigamiID: c.ID, Votes: c.Votes})
		if c.Voted {
			reply.OrigamiIDs = append(reply.OrigamiIDs, c.ID)
		}
	}
	return web.ReplyJSONWithETag(w, r, "private, "+revalidate, reply)
}

// latest answers with a page of the user's votes, newest first.
func (h votes) latest(w http.ResponseWriter, r *http.Request, query url.Values) error {
	after, limit, err := readMinePage(query)
	if err != nil {
		return err
	}
	found, more, err := h.catalogue.VotesOf(r.Context(), token.UserFrom(r.Context()).ID, after, limit)
	if err != nil {
		return err
	}
	reply := mineReply{OrigamiIDs: make([]int64, len(found))}
	for i, v := range found {
		reply.OrigamiIDs[i] = v.ProductID
	}
	if more {
		w.Header().Set("Link", web.NextLink(r.URL, cursorAt(mineOrder, found[len(found)-1].At())))
	}
	return web.ReplyJSONWithETag(w, r, "private, "+revalidate, reply)
}

// The pages of a user's votes. A cursor does not name the user: it is a point in time.
const (
	mineOrder = core.Sort("mine") // in cursors only
	mineLimit = 50
)

func readMinePage(q url.Values) (after core.Position, limit int, err error) {
	var broken fault.Checks
	limit = readLimit(q, mineLimit, &broken)
	after = core.SortNewest.Start()
	if text := q.Get("cursor"); text != "" {
		c, err := parseCursor(text)
		after = core.Position(c.position)
		broken.Require(err == nil && c.Sort == mineOrder, "cursor", "must be one that a page of this list gave")
	}
	return after, limit, broken.Err()
}

// readIDs reads 1 to most positive ids with commas between.
func readIDs(text string, most int) ([]int64, error) {
	var broken fault.Checks
	parts := strings.Split(text, ",")
	ids := make([]int64, 0, len(parts))
	for _, part := range parts {
		if id, err := strconv.ParseInt(part, 10, 64); err == nil && id > 0 {
			ids = append(ids, id)
		}
	}
	broken.Require(len(ids) == len(parts) && len(ids) <= most, "ids",
		fmt.Sprintf("must be 1 to %d positive integers with commas between", most))
	return ids, broken.Err()
}

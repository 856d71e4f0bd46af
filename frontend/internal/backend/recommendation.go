package backend

import (
	"context"
	"strconv"
)

// Recommendation is the client of recommendation.
type Recommendation struct{ client }

// Daily is the piece of a day. The catalogue's facts are not part of it.
type Daily struct {
	Product
	Date string `json:"date"` // 2026-11-22
}

// Pick is a piece chosen for somebody.
type Pick struct {
	Product
	Reason string `json:"reason"` // a short sentence
}

// Daily is today's piece.
func (c Recommendation) Daily(ctx context.Context) (Daily, error) {
	var daily Daily
	_, err := c.read(ctx, "/api/origami-of-the-day", "", &daily)
	return daily, err
}

// Picks are at most limit pieces for the bearer's person; bearer may be "".
func (c Recommendation) Picks(ctx context.Context, bearer string, limit int) ([]Pick, error) {
	var picks []Pick
	_, err := c.read(ctx, "/api/recommendations?limit="+strconv.Itoa(limit), bearer, &picks)
	return picks, err
}

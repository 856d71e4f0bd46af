package backend

import (
	"context"
	"net/url"
	"strconv"
)

// Recommendation is the client of recommendation.
type Recommendation struct{ client }

// Daily is the product of a day. The catalogue's facts are not part of it.
type Daily struct {
	Product
	Date    string `json:"date"`    // 2026-11-22
	Deleted bool   `json:"deleted"` // the product has left the gallery since
	Stale   bool   `json:"stale"`   // the service has this from before, and the votes may have changed
}

// Pick is a product chosen for somebody.
type Pick struct {
	Product
	Reason string `json:"reason"` // a short sentence
}

// Daily is today's product.
func (c Recommendation) Daily(ctx context.Context) (Daily, error) {
	return get[Daily](ctx, c.client, "/api/origami-of-the-day", "")
}

// DailyOn is the product of that day (2026-11-22) as it was recorded, NotFound if
// none was, if the day is to come, or if it is today and its product has left the
// gallery.
func (c Recommendation) DailyOn(ctx context.Context, date string) (Daily, error) {
	return get[Daily](ctx, c.client, "/api/origami-of-the-day?date="+url.QueryEscape(date), "")
}

// Archive are the recorded days of a month (2026-11) in order, and the closest
// months before and after that have any, "" where there is none.
func (c Recommendation) Archive(ctx context.Context, month string) (days []Daily, before, after string, err error) {
	header, err := c.read(ctx, "/api/origami-of-the-day/archive?month="+url.QueryEscape(month), "", &days)
	return days, linkParam(header, "prev", "month"), linkParam(header, "next", "month"), err
}

// AlsoLiked are at most limit products that people who voted for that one like too,
// popular ones where there are too few of those.
func (c Recommendation) AlsoLiked(ctx context.Context, id int64, limit int) ([]Pick, error) {
	path := "/api/origamis/" + strconv.FormatInt(id, 10) + "/also-liked?limit=" + strconv.Itoa(limit)
	return get[[]Pick](ctx, c.client, path, "")
}

// Picks are at most limit products for the bearer's person; bearer may be "".
func (c Recommendation) Picks(ctx context.Context, bearer string, limit int) ([]Pick, error) {
	return get[[]Pick](ctx, c.client, "/api/recommendations?limit="+strconv.Itoa(limit), bearer)
}

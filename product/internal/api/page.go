package api

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"craftista/product/internal/core"
	"craftista/shared/fault"
)

// cursor is a position with the order that it belongs to. Callers pass it back
// as they got it: base64url of its JSON.
type cursor struct {
	Sort core.Sort `json:"s"`
	position
}

type position struct {
	ID        int64     `json:"i"`
	Votes     int64     `json:"v,omitempty"`
	Name      string    `json:"n,omitempty"`
	CreatedAt time.Time `json:"t,omitzero"`
}

// readPage reads q, difficulty, sort, limit and cursor; an empty one counts as absent, and
// other parameters are ignored. It reports all broken rules at once.
func readPage(q url.Values) (core.Page, error) {
	var broken fault.Checks
	p := core.Page{
		Query: q.Get("q"), Difficulty: q.Get("difficulty"), Sort: core.SortID, Limit: core.DefaultLimit,
	}
	broken.Require(utf8.ValidString(p.Query) && !strings.ContainsRune(p.Query, 0), "q", "must be text in UTF-8")
	broken.Require(utf8.RuneCountInString(p.Query) <= core.MaxQuery, "q",
		fmt.Sprintf("must have at most %d characters", core.MaxQuery))
	if p.Difficulty != "" {
		core.RequireDifficulty(&broken, p.Difficulty)
	}
	if text := q.Get("sort"); text != "" {
		p.Sort = core.Sort(text)
	}
	broken.Require(p.Sort.Known(), "sort", "must be id, -votes, name or -created_at")
	p.Limit = readLimit(q, core.DefaultLimit, &broken)
	p.After = p.Sort.Start()
	if text := q.Get("cursor"); text != "" {
		c, err := parseCursor(text)
		p.After = core.Position(c.position)
		broken.Require(err == nil && (c.Sort == p.Sort || !p.Sort.Known()), "cursor",
			"must be one that a page in this order gave")
	}
	return p, broken.Err()
}

// readLimit reads how many a page shall have; if none is given, absent.
func readLimit(q url.Values, absent int, broken *fault.Checks) int {
	text := q.Get("limit")
	if text == "" {
		return absent
	}
	n, err := strconv.Atoi(text)
	broken.Require(err == nil && n >= 1 && n <= core.MaxLimit, "limit",
		fmt.Sprintf("must be between 1 and %d", core.MaxLimit))
	return n
}

func cursorAt(sort core.Sort, p core.Position) string { return cursor{sort, position(p)}.String() }

func (c cursor) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		return "" // a time past the year 9999, which parses back as broken
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// parseCursor accepts only what String gives, and no value that the database
// has no place for.
func parseCursor(text string) (cursor, error) {
	var c cursor
	decoded, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return cursor{}, err
	}
	if err := json.Unmarshal(decoded, &c); err != nil {
		return cursor{}, err
	}
	c.CreatedAt = c.CreatedAt.UTC() // as ours are; PostgreSQL has no zone of 23 hours
	if c.String() != text || strings.ContainsRune(c.Name, 0) {
		return cursor{}, errors.New("not a cursor of ours")
	}
	return c, nil
}

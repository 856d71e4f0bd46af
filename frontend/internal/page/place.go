package page

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"

	"craftista/frontend/internal/view"
)

const (
	batchSize = 12
	endless   = 4 * batchSize // so many products come by themselves, then it takes a button and the footer can be reached
	maxSize   = 8 * batchSize // of one page; the catalogue gives 100 at once
	maxQuery  = 100           // characters of a search, as the catalogue has it
)

// order is one order of the grid: its name in our URLs, its label, and its name
// in the catalogue.
type order struct{ name, label, sort string }

// orders are the orders on offer; the first is the usual one.
func orders() []order {
	return []order{{"loved", "Most loved", "-votes"}, {"newest", "Newest", "-created_at"}, {"name", "By name", "name"}}
}

// place is where in the grid a page is: size products from the cursor on, of those
// that a search finds. No query is all products, no cursor the beginning.
type place struct {
	query  string
	order  order
	cursor string
	size   int
}

func placeOf(query url.Values) place {
	p := place{query: words(query.Get("q")), order: orders()[0], cursor: query.Get("cursor"), size: batchSize}
	for _, o := range orders() {
		if o.name == query.Get("sort") {
			p.order = o
		}
	}
	if n, err := strconv.Atoi(query.Get("show")); err == nil {
		p.size = max(batchSize, min(n, maxSize))
	}
	return p
}

// words is a search as the catalogue takes it: text with single spaces, cut after
// maxQuery characters. Whatever was typed can be searched for.
func words(raw string) string {
	clean := strings.Map(func(c rune) rune {
		if !unicode.IsGraphic(c) {
			return ' '
		}
		return c
	}, strings.ToValidUTF8(raw[:min(len(raw), 16*maxQuery)], " "))
	text := []rune(strings.Join(strings.Fields(clean), " "))
	return strings.TrimSpace(string(text[:min(len(text), maxQuery)]))
}

// isFront reports whether this is the front page.
func (p place) isFront() bool { return p.query == "" && p.cursor == "" }

// title is the page's own, "" for the site's.
func (p place) title() string {
	if p.query == "" {
		return ""
	}
	return quoted(p.query)
}

func quoted(text string) string { return "“" + text + "”" }

// url is the place's own; the usual order at the beginning is the bare site.
func (p place) url() string {
	query := url.Values{}
	set := func(name, value, usual string) {
		if value != usual {
			query.Set(name, value)
		}
	}
	set("q", p.query, "")
	set("sort", p.order.name, orders()[0].name)
	set("cursor", p.cursor, "")
	set("show", strconv.Itoa(p.size), strconv.Itoa(batchSize))
	return (&url.URL{Path: "/", RawQuery: query.Encode()}).String()
}

func searchForm(at place) view.Search {
	form := view.Search{Query: at.query, Limit: strconv.Itoa(maxQuery)}
	if at.order != orders()[0] {
		form.Sort = at.order.name
	}
	return form
}

// gridAt is the grid before its products are known.
func gridAt(at place) view.Grid {
	grid := view.Grid{Search: at.query, RetryURL: at.url(), AllURL: place{order: at.order, size: batchSize}.url()}
	for _, o := range orders() {
		here := place{query: at.query, order: o, size: batchSize}
		grid.Sorts = append(grid.Sorts, view.Sort{Label: o.label, URL: here.url(), Current: o == at.order})
	}
	return grid
}

// foundText says what a search found, without its end: "3 pieces for “boat”".
func foundText(query string, batch view.Batch) string {
	switch {
	case query == "":
		return "The gallery"
	case len(batch.Cards) == 0:
		return "Nothing for " + quoted(query)
	case batch.MoreURL != "":
		return "Pieces for " + quoted(query)
	default:
		return plural(int64(len(batch.Cards)), "piece") + " for " + quoted(query)
	}
}

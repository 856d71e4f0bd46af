package page

import (
	"cmp"
	"net/url"
	"slices"
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
// that a search finds and of a difficulty. No query and no difficulty are all products,
// no cursor the beginning.
type place struct {
	query      string
	difficulty string // one of difficulties, or ""
	order      order
	cursor     string
	size       int
}

// difficulties are those of the catalogue.
func difficulties() []string { return []string{"easy", "intermediate", "advanced"} }

func placeOf(query url.Values) place {
	p := place{query: words(query.Get("q")), order: orders()[0], cursor: query.Get("cursor"), size: batchSize}
	for _, o := range orders() {
		if o.name == query.Get("sort") {
			p.order = o
		}
	}
	if asked := query.Get("difficulty"); slices.Contains(difficulties(), asked) {
		p.difficulty = asked
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

// wordless reports whether there is a query without anything that the catalogue searches for:
// signs and emoji are no words.
func (p place) wordless() bool {
	return p.query != "" && !strings.ContainsFunc(p.query, func(c rune) bool {
		return unicode.IsLetter(c) || unicode.IsNumber(c)
	})
}

// isFront reports whether this is the front page.
func (p place) isFront() bool { return p.query == "" && p.difficulty == "" && p.cursor == "" }

// title is the page's own, "" for the site's.
func (p place) title() string {
	switch {
	case p.query == "" && p.difficulty == "":
		return ""
	case p.query == "":
		return capital(p.noun()) + "s"
	case p.difficulty == "":
		return quoted(p.query)
	default:
		return quoted(p.query) + ", " + p.difficulty
	}
}

// noun is what the place has: piece, or easy piece.
func (p place) noun() string { return strings.TrimSpace(p.difficulty + " piece") }

func capital(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

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
	set("difficulty", p.difficulty, "")
	set("sort", p.order.name, orders()[0].name)
	set("cursor", p.cursor, "")
	set("show", strconv.Itoa(p.size), strconv.Itoa(batchSize))
	return (&url.URL{Path: "/", RawQuery: query.Encode()}).String()
}

func (s *site) searchForm(at place) view.Search {
	form := view.Search{
		Query: at.query, Difficulty: at.difficulty, Limit: strconv.Itoa(maxQuery), Script: s.assets.URL("js/search.js"),
	}
	if at.order != orders()[0] {
		form.Sort = at.order.name
	}
	return form
}

// gridAt is the grid before its products are known.
func gridAt(at place) view.Grid {
	grid := view.Grid{
		Chosen: at.query != "" || at.difficulty != "", Wordless: at.wordless(),
		RetryURL: at.url(), AllURL: place{order: at.order, size: batchSize}.url(),
	}
	here := place{query: at.query, difficulty: at.difficulty, order: at.order, size: batchSize}
	for _, o := range orders() {
		sorted := here
		sorted.order = o
		grid.Sorts = append(grid.Sorts, view.Choice{Label: o.label, URL: sorted.url(), Current: o == at.order})
	}
	for _, d := range slices.Concat([]string{""}, difficulties()) {
		filtered := here
		filtered.difficulty = d
		label := cmp.Or(level(d).Label, "All")
		grid.Levels = append(grid.Levels, view.Choice{Label: label, URL: filtered.url(), Current: d == at.difficulty})
	}
	return grid
}

// foundText says what the grid has, without its end: "3 pieces for “boat”".
func (p place) foundText(batch view.Batch) string {
	what := ""
	if p.query != "" {
		what = " for " + quoted(p.query)
	}
	switch {
	case p.query == "" && p.difficulty == "":
		return "The gallery"
	case p.wordless():
		return "Nothing to search for in " + quoted(p.query)
	case len(batch.Cards) == 0 && p.difficulty != "":
		return "No " + p.noun() + "s" + what
	case len(batch.Cards) == 0:
		return "No results" + what
	case p.query == "" || batch.MoreURL != "":
		return capital(p.noun()) + "s" + what
	default:
		return plural(int64(len(batch.Cards)), p.noun()) + what
	}
}

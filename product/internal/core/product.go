// Package core is what the catalogue is and how voting works, whatever carries
// the requests and stores the rows.
package core

import (
	"math"
	"slices"
	"time"

	"craftista/shared/fault"
)

// Product is one origami of the gallery.
type Product struct {
	ID          int64 // positive
	Name        string
	Description string
	ImageURL    string // a path on the site
	Votes       int64  // how many users voted for it
	Difficulty  string // easy, intermediate or advanced
	Folds       int
	Paper       string // the sheet to start from, such as "15 cm square"
	Maker       string // who designed it; "" is not known

	InstructionsURL string // where its folding is taught, beginning with https://; "" is not known

	CreatedAt time.Time // UTC
	UpdatedAt time.Time // UTC; of the product itself, votes do not change it
	Version   int64     // counts the edits, from 1; votes do not change it
}

// UserCount is a count, and whether the user is one of those who voted.
type UserCount struct {
	Count
	Voted bool
}

// Vote is a user's vote for a product.
type Vote struct {
	ProductID int64
	CreatedAt time.Time // UTC
}

// At is the vote's position among the user's votes, newest first. They start at
// SortNewest.Start.
func (v Vote) At() Position { return Position{ID: v.ProductID, CreatedAt: v.CreatedAt} }

// Sort is an order to walk the catalogue in. A minus sign means descending;
// among equals the id decides in the same direction.
type Sort string

// The orders there are.
const (
	SortID     Sort = "id"
	SortVotes  Sort = "-votes"
	SortName   Sort = "name" // by code point, the same on every machine
	SortNewest Sort = "-created_at"
)

// Known reports whether there is such an order.
func (s Sort) Known() bool {
	return slices.Contains([]Sort{SortID, SortVotes, SortName, SortNewest}, s)
}

// The sizes of a page.
const (
	DefaultLimit = 24
	MaxLimit     = 100
)

// RequireDifficulty requires that text is one that a product may have.
func RequireDifficulty(c *fault.Checks, text string) {
	known := slices.Contains([]string{"easy", "intermediate", "advanced"}, text)
	c.Require(known, "difficulty", "must be easy, intermediate or advanced")
}

// MaxQuery is how many characters a query has at most.
const MaxQuery = 100

// Page asks for up to Limit products in an order, those after a position.
type Page struct {
	// Query leaves out the products that lack one of its words in name and
	// description. A word is found as such and at the beginning of a longer one,
	// whatever its case and accents; one that begins no word of any product as those
	// of the fewest Edits, up to MaxEdits. Emoji are no words. A query without
	// letters and digits leaves nothing out.
	Query      string
	Difficulty string // of the products; "" is any
	Sort       Sort
	After      Position
	Limit      int // 1 to MaxLimit
}

// Position is a place in an order: the id of a product and, in the field that
// the order goes by, its value there. Products that come, go or change around it
// neither shift nor repeat the ones after it.
type Position struct {
	ID        int64
	Votes     int64
	Name      string
	CreatedAt time.Time
}

// Start is the position before every product.
func (s Sort) Start() Position {
	switch s {
	case SortVotes:
		return Position{ID: math.MaxInt64, Votes: math.MaxInt64}
	case SortNewest:
		return Position{ID: math.MaxInt64, CreatedAt: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}
	default:
		return Position{}
	}
}

// At is the position of a product.
func (s Sort) At(p Product) Position {
	switch s {
	case SortVotes:
		return Position{ID: p.ID, Votes: p.Votes}
	case SortName:
		return Position{ID: p.ID, Name: p.Name}
	case SortNewest:
		return Position{ID: p.ID, CreatedAt: p.CreatedAt}
	default:
		return Position{ID: p.ID}
	}
}

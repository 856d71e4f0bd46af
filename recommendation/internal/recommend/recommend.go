// Package recommend has the rules of what is recommended: a product of the day for everyone and picks for each person.
package recommend

import (
	"context"
	"time"

	"craftista/shared/fault"
)

// Product is an origami as the catalogue publishes it.
type Product struct {
	ID          int64
	Name        string
	Description string
	ImageURL    string // a path on the site
	Votes       int64  // how many people voted for it
	Difficulty  string
	Folds       int
	Paper       string
	CreatedAt   time.Time // UTC
	UpdatedAt   time.Time // UTC
	Deleted     bool      // only days show a product that is deleted
}

// Day is a recorded day and its product. Days begin at 00:00 UTC.
type Day struct {
	Date time.Time
	Product
}

// Pick is a product and how close it is to what somebody voted for.
type Pick struct {
	Product
	Maker    string  // "" if it is not known
	Affinity float64 // 0 if nothing connects them; more is closer
	Because  string  // the name of the product whose vote added most to the affinity; "" if one product asks
	Fresh    bool    // picked because it is new
}

// Store reads the catalogue and records the days. What is missing is a NotFound fault.
type Store interface {
	// Recorded is the id of the product that the day showed. It may be erased since.
	Recorded(ctx context.Context, day time.Time) (id int64, err error)
	// Record is Recorded, and chooses a product first if the day has none. Replicas that call it at once get the same
	// answer.
	Record(ctx context.Context, day time.Time) (id int64, err error)
	// Product is there for deleted products too, not for erased ones.
	Product(ctx context.Context, id int64) (Product, error)
	// Archive are the recorded days of the month that begins then, in order, none after today, without erased products
	// and without today's if that is deleted; and days of the closest months before and after that have any, or zero
	// times.
	Archive(ctx context.Context, month, today time.Time) (days []Day, before, after time.Time, err error)
	// Liked are the product with this id, if it is in the gallery, and the newest 50 that the person voted for, the
	// newest first.
	Liked(ctx context.Context, person, id int64) ([]Liked, error)
	// Neighbours are the people with the highest weights over the root of the number of their votes, those first.
	Neighbours(ctx context.Context, people []int64, weights []float64) ([]Neighbour, error)
	// Candidates are the first of those products that the person has not voted for, more than limit; if there are too
	// few, the most popular ones; and, if limit is 4 or more, a new one.
	Candidates(ctx context.Context, person int64, ids []int64, limit int) ([]Pick, error)
}

// Recommender is a Store and the rules on top of it. It is safe for concurrent use.
type Recommender struct{ Store }

// Daily is the product that date shows to everyone. The first request of today makes the choice. Past days show their
// product as it is now, deleted or not. One that is deleted on its day is NotFound for the rest of it: nobody can vote
// for it, and another one would not be the same for everyone all day.
func (r Recommender) Daily(ctx context.Context, date, today time.Time) (Product, error) {
	if date.After(today) {
		return Product{}, fault.New(fault.NotFound, "the piece of %s is still to come", date.Format(time.DateOnly))
	}
	id, err := r.Recorded(ctx, date)
	if date.Equal(today) && fault.KindOf(err) == fault.NotFound {
		id, err = r.Record(ctx, date)
	}
	if err != nil {
		return Product{}, err
	}
	if date.Equal(today) {
		return r.Today(ctx, id)
	}
	p, err := r.Product(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		err = leftGallery()
	}
	return p, err
}

// Today is the product of today's record, NotFound as Daily says.
func (r Recommender) Today(ctx context.Context, id int64) (Product, error) {
	p, err := r.Product(ctx, id)
	if p.Deleted || fault.KindOf(err) == fault.NotFound {
		return Product{}, leftGallery()
	}
	return p, err
}

func leftGallery() error {
	return fault.New(fault.NotFound, "the piece of that day has left the gallery")
}

// Reason is why the product is picked, a phrase for people.
func (p Pick) Reason() string {
	switch {
	case p.Because != "":
		return "Because you liked " + p.Because
	case p.Affinity > 0:
		return "Loved by people who love this one"
	case p.Fresh:
		return "New in the gallery"
	case p.Votes > 0:
		return "Popular with everyone"
	default:
		return "Waiting for its first vote"
	}
}

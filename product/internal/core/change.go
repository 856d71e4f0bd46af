package core

import (
	"context"
	"slices"
)

// Tally is the count of one piece and the change that made it so. Changes have
// numbers, the same for all replicas, in the order in which they began: one may
// become visible after others with higher numbers.
type Tally struct {
	ID     int64
	Votes  int64
	Change uint64 // positive; 1 is from before all changes
}

// Moment is which changes a look at the store saw.
type Moment struct {
	Floor   uint64   // it saw all changes below that were ever made
	Ceiling uint64   // it saw none from here on
	Open    []uint64 // and none of these, ascending, from Floor on
}

// Since is the moment from which on somebody who knows all changes below
// position wants to know more; 1 is the beginning.
func Since(position uint64) Moment { return Moment{Floor: position, Ceiling: position} }

// Saw reports whether the look saw the change.
func (m Moment) Saw(change uint64) bool {
	if change < m.Floor || change >= m.Ceiling {
		return change < m.Floor
	}
	_, open := slices.BinarySearch(m.Open, change)
	return !open
}

// Tallies is a store that tells what changed.
type Tallies interface {
	// Changed returns up to limit pieces in the order of their changes, those that
	// changed after a moment and come after the given one, and the moment of this
	// look. After Since(1) that is every piece.
	Changed(ctx context.Context, after Moment, last Tally, limit int) ([]Tally, Moment, error)
	// ChangedOf is Changed for those of ids, however many changed.
	ChangedOf(ctx context.Context, after Moment, ids []int64) ([]Tally, Moment, error)
}

package db

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"
)

const voterCount = 200

// voterWords is seed/voters.json: what made-up people are made of.
type voterWords struct {
	Given  []string
	Family []string
	Tastes map[string][]string // slugs by what their lovers have in common
	Votes  map[string]int      // how many each slug gets
}

// voter is a made-up person, who mostly votes for the pieces of a first and a second taste.
type voter struct {
	username string
	email    string
	first    string
	second   string
	activity int // 1 to 4: how many votes, compared with others
}

// ballot is one vote to be.
type ballot struct {
	username  string
	productID int64
	at        time.Time
}

// voters makes the same people every time; no two user names differ only in case.
func (w voterWords) voters() []voter {
	r := rand.New(rand.NewPCG(24, voterCount)) //nolint:gosec // the same every time, by intent
	tastes := slices.Sorted(maps.Keys(w.Tastes))
	taken := map[string]bool{}
	all := make([]voter, 0, voterCount)
	for len(all) < voterCount {
		given, family := w.Given[r.IntN(len(w.Given))], w.Family[r.IntN(len(w.Family))]
		name := username(r, given, family)
		if taken[name] {
			continue
		}
		taken[name] = true
		all = append(all, voter{
			username: name,
			email:    name + []string{"@example.com", "@example.org"}[r.IntN(2)],
			first:    tastes[r.IntN(len(tastes))],
			second:   tastes[r.IntN(len(tastes))],
			activity: 1 + r.IntN(4),
		})
	}
	return all
}

func username(r *rand.Rand, given, family string) string {
	switch r.IntN(7) {
	case 0:
		return given + "." + family
	case 1:
		return given + "_" + family
	case 2:
		return given + family[:1]
	case 3:
		return given[:1] + "." + family
	case 4:
		return given + strconv.Itoa(70+r.IntN(30))
	case 5:
		return family + "-" + given
	default:
		return given + "." + []string{"folds", "paper", "creases", "washi", "origami"}[r.IntN(5)]
	}
}

// ballots draws each piece's voters without repetition, those of a fitting taste much more often, so that people with
// shared votes do share a taste. It draws integers only: they are the same on every machine.
func ballots(origami []piece, words voterWords, voters []voter) []ballot {
	r := rand.New(rand.NewPCG(7, voterCount)) //nolint:gosec // the same every time, by intent
	var all []ballot
	for i, o := range origami {
		weights, total := make([]int, len(voters)), 0
		for n, v := range voters {
			weights[n] = v.activity * v.interest(words.Tastes, o.Slug)
			total += weights[n]
		}
		for range min(words.Votes[o.Slug], len(voters)) {
			n, left := 0, r.IntN(total)
			for left >= weights[n] {
				left -= weights[n]
				n++
			}
			total -= weights[n]
			weights[n] = 0 // votes once
			at := arrival(i).Add(time.Duration(r.IntN(28*24*60)) * time.Minute)
			all = append(all, ballot{username: voters[n].username, productID: int64(i + 1), at: at})
		}
	}
	return all
}

// interest is how likely the voter votes for the piece, compared with others.
func (v voter) interest(tastes map[string][]string, slug string) int {
	switch {
	case slices.Contains(tastes[v.first], slug):
		return 30
	case slices.Contains(tastes[v.second], slug):
		return 6
	default:
		return 1
	}
}

func usernames(voters []voter) []string {
	names := make([]string, len(voters))
	for i, v := range voters {
		names[i] = v.username
	}
	return names
}

func emails(voters []voter) []string {
	addresses := make([]string, len(voters))
	for i, v := range voters {
		addresses[i] = v.email
	}
	return addresses
}

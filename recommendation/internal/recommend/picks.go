package recommend

import (
	"cmp"
	"context"
	"math"
	"slices"

	"craftista/shared/fault"
)

// Liked is a product that a person voted for.
type Liked struct {
	ID, Votes int64
	Name      string
	Voters    IDs // other people who did, in order
}

// Neighbour is a person who shares votes.
type Neighbour struct {
	ID     int64
	Weight float64 // over the root of the number of their votes
	Likes  IDs     // the newest products that they voted for
}

// IDs are read from an array of PostgreSQL, of positive numbers, in a sixth of the time of pq.Int64Array, which took a
// third of a pick.
type IDs []int64

// Scan implements sql.Scanner.
func (ids *IDs) Scan(array any) error {
	var id int64
	for _, c := range array.([]byte) {
		if '0' <= c && c <= '9' {
			id = 10*id + int64(c-'0')
		} else if id > 0 {
			*ids, id = append(*ids, id), 0
		}
	}
	return nil
}

// Picks are at most limit products that the person has not voted for, the closest to their votes first, then the most
// popular. Person 0 is anonymous.
//
// A product is the closer, the more of those people like it who share most votes with the person, of which newer ones
// weigh more. What everybody votes for is close to everything, and who votes for everything to everybody, so their
// counts divide; what rests on few people, who may be chance, shrinks (Bell and Koren, Scalable Collaborative Filtering
// with Jointly Derived Neighborhood Interpolation Weights, ICDM 2007). stack/bench/picks found how much. The vote that
// added most is the reason.
//
// At most a quarter are of one maker and three quarters of one difficulty, as far as there are others. Of four or more,
// one is new and little voted, another one for each person and day.
func (r Recommender) Picks(ctx context.Context, person int64, limit int) ([]Pick, error) {
	picks, because, err := r.near(ctx, person, 0, limit)
	picks = vary(picks, limit)
	for i, p := range picks {
		picks[i].Because = because(p)
	}
	return picks, err
}

// AlsoLiked are at most limit other products, the closest to this one first, then the most popular, as if it were the
// only one that somebody liked. It is NotFound unless the product is in the gallery.
func (r Recommender) AlsoLiked(ctx context.Context, id int64, limit int) ([]Pick, error) {
	picks, _, err := r.near(ctx, 0, id, limit)
	slices.SortFunc(picks, closer)
	return picks[:min(limit, len(picks))], err
}

// near are more than limit candidates, and the function for the name of the liked product that added most to one.
func (r Recommender) near(ctx context.Context, person, id int64, limit int) ([]Pick, func(Pick) string, error) {
	liked, err := r.Liked(ctx, person, id)
	if err == nil && id > 0 && len(liked) == 0 {
		err = fault.New(fault.NotFound, "no origami %d", id)
	}
	if err != nil {
		return nil, nil, err
	}
	of, weights := make([]float64, len(liked)), map[int64]float64{} // by liked product and by person
	for i, l := range liked {
		of[i] = math.Pow(0.97, float64(i)) / math.Pow(float64(l.Votes), 0.3)
		for _, voter := range l.Voters {
			weights[voter] += of[i]
		}
	}
	people, weighing := highest(weights, 500)
	neighbours, err := r.Neighbours(ctx, people, weighing)
	if err != nil {
		return nil, nil, err
	}
	sums := map[int64]float64{} // by product
	for _, n := range neighbours {
		for _, id := range n.Likes {
			sums[id] += n.Weight
		}
	}
	ids, _ := highest(sums, 500)
	picks, err := r.Candidates(ctx, person, ids, limit)
	picks = slices.DeleteFunc(picks, func(p Pick) bool { return p.ID == id })
	for i, p := range picks {
		s := sums[p.ID]
		picks[i].Affinity = s * s / (s + 0.3) / math.Sqrt(float64(max(1, p.Votes)))
	}
	return picks, func(p Pick) string {
		if p.Affinity == 0 {
			return ""
		}
		added := make([]float64, len(liked))
		for _, n := range neighbours {
			if !slices.Contains(n.Likes, p.ID) {
				continue
			}
			for i, l := range liked {
				if _, shared := slices.BinarySearch(l.Voters, n.ID); shared {
					added[i] += of[i] * n.Weight / weights[n.ID]
				}
			}
		}
		return liked[slices.Index(added, slices.Max(added))].Name
	}, err
}

// highest are at most n keys and their values, the highest first. It does not sort the others.
func highest(values map[int64]float64, n int) (keys []int64, of []float64) {
	type entry struct {
		key   int64
		value float64
	}
	var top []entry
	higher := func(a, b entry) int { return cmp.Or(cmp.Compare(b.value, a.value), cmp.Compare(a.key, b.key)) }
	for key, value := range values {
		if len(top) == n && value < top[n-1].value {
			continue
		}
		if place, _ := slices.BinarySearchFunc(top, entry{key, value}, higher); place < n {
			top = slices.Insert(top[:min(len(top), n-1)], place, entry{key, value})
		}
	}
	for _, e := range top {
		keys, of = append(keys, e.key), append(of, e.value)
	}
	return keys, of
}

func closer(a, b Pick) int {
	return cmp.Or(cmp.Compare(b.Affinity, a.Affinity), cmp.Compare(b.Votes, a.Votes), cmp.Compare(b.ID, a.ID))
}

// vary are at most limit of the picks, the closest first, but last of them those that are too many of their maker or
// difficulty, and a new one.
func vary(picks []Pick, limit int) []Pick {
	slices.SortFunc(picks, closer)
	makers, difficulties := map[string]int{}, map[string]int{}
	var places [6][]Pick
	for _, p := range picks {
		place := 0
		if makers[p.Maker]++; p.Maker != "" && makers[p.Maker] > max(1, limit/4) {
			place = 2
		} else if difficulties[p.Difficulty]++; difficulties[p.Difficulty] > (limit*3+3)/4 {
			place = 1
		}
		if p.Affinity == 0 {
			place += 3
		}
		places[place] = append(places[place], p)
	}
	picks = slices.Concat(places[:]...)
	if fresh := slices.IndexFunc(picks, func(p Pick) bool { return p.Fresh }); fresh >= limit {
		picks[limit-1] = picks[fresh]
	}
	return picks[:min(limit, len(picks))]
}

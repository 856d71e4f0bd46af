// Package picks measures how good the picks are: on generated people, whose last vote is held out.
package picks

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"slices"
	"testing"
	"text/tabwriter"

	"craftista/db/pgtest"
	"craftista/recommendation"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
)

// BenchmarkPicks prints a table of rankings.
func BenchmarkPicks(b *testing.B) {
	w := generate()
	gram := w.gram()
	t := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	defer func() { _ = t.Flush() }() // a terminal that was closed is no reason to fail
	line(t, "\nranking", "HR@10", "MRR@10", "NDCG@10", "makers", "difficulties", "new")
	for _, subject := range []struct {
		name string
		rank ranking
	}{
		{"popularity", popularity(gram)},
		{"item cosine", cosine(gram, 0.5)},
		{"item cosine, popularity^0.7", cosine(gram, 0.7)},
		{"EASE, lambda 200", ease(gram, 200)},
		{"EASE, lambda 500", ease(gram, 500)},
	} {
		w.measure(func(p int) []int { return subject.rank(w.liked(p)) }).report(t, subject.name)
	}
	w.measure(w.service(b)).report(t, "the service")
	b.ReportMetric(0, "ns/op")
}

// figures are means over all people.
type figures struct{ hits, mrr, ndcg, makers, difficulties, fresh float64 }

func (f figures) report(out io.Writer, name string) {
	line(out, name, number(f.hits), number(f.mrr), number(f.ndcg),
		number(f.makers), number(f.difficulties), number(f.fresh))
}

func number(f float64) string { return fmt.Sprintf("%.3f", f) }

func line(out io.Writer, cells ...string) {
	for _, c := range cells {
		_, _ = fmt.Fprint(out, c, "\t")
	}
	_, _ = fmt.Fprintln(out)
}

// liked is what a person voted for before the vote that is held out.
func (w *world) liked(person int) []int {
	var liked []int
	for _, v := range w.votes[person] {
		liked = append(liked, v.piece)
	}
	return liked[:len(liked)-1]
}

// measure asks for the ten best pieces for each person.
func (w *world) measure(rank func(person int) []int) figures {
	var f figures
	for p, votes := range w.votes {
		ranked := rank(p)
		if place := slices.Index(ranked, votes[len(votes)-1].piece); place >= 0 {
			f.hits++
			f.mrr += 1 / float64(place+1)
			f.ndcg += 1 / math.Log2(float64(place+2))
		}
		byMaker, byDifficulty := map[int]bool{}, map[string]bool{}
		for _, i := range ranked {
			byMaker[w.maker[i]], byDifficulty[w.difficulty[i]] = true, true
			if w.created[i] > 1-newFor.Hours()/24/365/years {
				f.fresh++
			}
		}
		f.makers += float64(len(byMaker))
		f.difficulties += float64(len(byDifficulty))
	}
	for _, figure := range []*float64{&f.hits, &f.mrr, &f.ndcg, &f.makers, &f.difficulties, &f.fresh} {
		*figure /= people
	}
	return f
}

// service asks the service itself, over the world in PostgreSQL.
func (w *world) service(b *testing.B) func(person int) []int {
	b.Helper()
	database, issuer := pgtest.New(b), tokentest.New(b)
	w.insert(b, database.AdminURL)
	c := recommendation.Default()
	c.DatabaseURL, c.JWKSURL = database.RecommendationURL, issuer.JWKSURL()
	c.Issuer, c.Audience = issuer.URL, tokentest.Audience
	var err error
	if c.Listener, err = net.Listen("tcp", "localhost:0"); err != nil {
		b.Fatal(err)
	}
	c.LogLevel = slog.LevelError
	go func() { _ = recommendation.Run(b.Context(), c) }()
	return func(person int) []int {
		r, err := http.NewRequestWithContext(b.Context(), "GET",
			"http://"+c.Listener.Addr().String()+"/api/recommendations?limit=10", nil)
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+issuer.Mint(int64(person+1), token.RoleUser))
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			b.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		var reply []struct{ ID int }
		if err := json.NewDecoder(res.Body).Decode(&reply); err != nil || res.StatusCode != http.StatusOK {
			b.Fatalf("%s, %v", res.Status, err)
		}
		var ranked []int
		for _, pick := range reply {
			ranked = append(ranked, pick.ID-1)
		}
		return ranked
	}
}

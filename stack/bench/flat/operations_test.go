package flat

import (
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/db"
)

// operation is one line of the table. Prepare, which is not measured, returns
// what is done again and again; n counts the times.
type operation struct {
	name    string
	prepare prepare
}

type (
	prepare func(*testing.B, *environment) measure
	measure func(b *testing.B, n int) time.Duration
)

func operations() []operation {
	all := []operation{{"by id, hit", hit}, {"by id, miss", miss}, {"vote", vote}}
	for _, sort := range []string{"id", "-votes", "name", "-created_at"} {
		all = append(all,
			operation{"list by " + sort + ", page 1", page("?sort="+sort, 1)},
			operation{"list by " + sort + ", page 1000", page("?sort="+sort, 1000)})
	}
	for _, sort := range []string{"id", "-votes", "name", "-created_at"} {
		for _, in := range []int64{4, 20, 50, 100, 200, 1000, 10_000, 100_000} {
			name := "search by " + sort + ", a word that 1 in " + strconv.FormatInt(in, 10) + " have"
			all = append(all, operation{name, search(sort, in, func(w string) string { return w })})
		}
		all = append(all,
			operation{"search by " + sort + ", a letter", search(sort, 10, func(w string) string { return w[:1] })},
			operation{"search by " + sort + ", three letters", search(sort, 1000, func(w string) string { return w[:3] })},
			operation{"search by " + sort + ", a typo", search(sort, 1000, swap)},
			operation{"search by " + sort + ", no match", search(sort, 1000, func(w string) string { return "xq" + w })},
			operation{"search by " + sort + ", two words", pair(sort, 20, 200)},
			operation{"search by " + sort + ", two common words", pair(sort, 20, 30)},
		)
	}
	deep := func(b *testing.B, e *environment) measure {
		return page("?sort=-votes&q="+e.words(b, 10)[0], 1000)(b, e)
	}
	return append(all,
		operation{"search by -votes, a common word, page 1000", deep},
		operation{"picks, no vote", picks(0, "p.id")},
		operation{"picks, 5 votes for anything", picks(5, "random()")},
		operation{"picks, 100 votes for anything", picks(100, "random()")},
		operation{"picks, 100 votes for the most popular", picks(100, "p.votes DESC")},
		operation{"picks, 10,000 votes for the most popular", picks(10_000, "p.votes DESC")},
		operation{"also liked, anything", alsoLiked(false)},
		operation{"also liked, the most popular", alsoLiked(true)},
	)
}

// crowd makes the 20 most popular products as popular as can be, a tenth of the products' number of votes each, and
// their first 200 voters as active: 1 in 200 products has a vote of theirs.
func (e *environment) crowd(b *testing.B) {
	const popular = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT (1::bigint << 40) + n, p.id
		  FROM (SELECT id FROM product.products ORDER BY votes DESC, id DESC LIMIT 20) AS p,
		       generate_series(0, $1::bigint / 10) AS n
		    ON CONFLICT DO NOTHING`
	const active = `
		INSERT INTO product.votes (person_id, product_id)
		SELECT (1::bigint << 40) + n, 1 + (n * 7919 + k * 104729) % $1::bigint
		  FROM generate_series(0, 199) AS n, generate_series(1, $1::bigint / 200) AS k
		    ON CONFLICT DO NOTHING`
	for _, query := range []string{popular, active} {
		e.exec(b, query, e.products)
	}
}

// picks asks for those of somebody who voted for that many products, the first ones in that order.
func picks(votes int, order string) prepare {
	return func(b *testing.B, e *environment) measure {
		const person = `(SELECT id FROM auth.users WHERE username = $1)`
		e.crowd(b)
		e.exec(b, `DELETE FROM product.votes WHERE person_id = `+person, db.DemoAccounts()[0].Username)
		e.exec(b, `
			INSERT INTO product.votes (person_id, product_id)
			SELECT `+person+`, p.id FROM product.products AS p WHERE p.deleted_at IS NULL ORDER BY `+order+` LIMIT $2`,
			db.DemoAccounts()[0].Username, votes)
		return func(b *testing.B, _ int) time.Duration {
			took, _ := e.callAt(b, "GET", e.recommendation+"/api/recommendations")
			return took
		}
	}
}

// alsoLiked asks for what goes with one of the most popular products, or with any.
func alsoLiked(popular bool) prepare {
	return func(b *testing.B, e *environment) measure {
		e.crowd(b)
		var ids []string
		const query = `SELECT id FROM product.products WHERE deleted_at IS NULL ORDER BY votes DESC, id DESC LIMIT 20`
		if err := e.db.SelectContext(b.Context(), &ids, query); err != nil {
			b.Fatal(err)
		}
		return func(b *testing.B, n int) time.Duration {
			id := ids[n%len(ids)]
			if !popular {
				id = e.productID(n)
			}
			took, _ := e.callAt(b, "GET", e.recommendation+"/api/origamis/"+id+"/also-liked")
			return took
		}
	}
}

// swap exchanges two letters in the middle.
func swap(w string) string { return w[:2] + w[3:4] + w[2:3] + w[4:] }

// productID is that of one of the seed's products or, where there are more, of any.
func (e *environment) productID(n int) string {
	return strconv.FormatInt(1+int64(n)*7919%e.products, 10)
}

func hit(_ *testing.B, e *environment) measure {
	return func(b *testing.B, n int) time.Duration {
		e.call(b, "GET", "/api/products/"+e.productID(n))
		took, header := e.call(b, "GET", "/api/products/"+e.productID(n))
		if header.Get("X-Cache") != "hit" {
			b.Fatalf("X-Cache: %s", header.Get("X-Cache"))
		}
		return took
	}
}

func miss(_ *testing.B, e *environment) measure {
	return func(b *testing.B, n int) time.Duration {
		e.call(b, "DELETE", "/api/origamis/"+e.productID(n)+"/vote") // drops it from the cache
		took, header := e.call(b, "GET", "/api/products/"+e.productID(n))
		if header.Get("X-Cache") != "miss" {
			b.Fatalf("X-Cache: %s", header.Get("X-Cache"))
		}
		return took
	}
}

func vote(_ *testing.B, e *environment) measure {
	return func(b *testing.B, n int) time.Duration {
		target := "/api/origamis/" + e.productID(n) + "/vote"
		e.call(b, "DELETE", target)
		took, _ := e.call(b, "POST", target)
		return took
	}
}

// page goes to that page, of 24 products, along the links; to the last one where
// there are fewer.
func page(query string, number int) prepare {
	return func(b *testing.B, e *environment) measure {
		target := "/api/products" + query
		for ahead := (number - 1) * 24; ahead > 0; ahead -= 100 {
			_, header := e.call(b, "GET", target+"&limit="+strconv.Itoa(min(100, ahead)))
			next, _, more := strings.Cut(strings.TrimPrefix(header.Get("Link"), "</api/products"), ">")
			if !more {
				break
			}
			u, err := url.Parse(next)
			if err != nil {
				b.Fatal(err)
			}
			q := u.Query()
			q.Del("limit")
			target = "/api/products?" + q.Encode()
		}
		return func(b *testing.B, _ int) time.Duration {
			took, _ := e.call(b, "GET", target)
			return took
		}
	}
}

// search asks for what change makes of ten words that 1 in so many products have.
func search(sort string, in int64, change func(string) string) prepare {
	return func(b *testing.B, e *environment) measure {
		words := e.words(b, in)
		return func(b *testing.B, n int) time.Duration {
			took, _ := e.call(b, "GET", "/api/products?sort="+sort+"&q="+url.QueryEscape(change(words[n%len(words)])))
			return took
		}
	}
}

// pair asks for two words at once.
func pair(sort string, in, and int64) prepare {
	return func(b *testing.B, e *environment) measure {
		words, others := e.words(b, in), e.words(b, and)
		return func(b *testing.B, n int) time.Duration {
			query := words[n%len(words)] + "+" + others[n/len(words)%len(others)]
			took, _ := e.call(b, "GET", "/api/products?sort="+sort+"&q="+query)
			return took
		}
	}
}

package bench

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strconv"

	"craftista/stack/internal/local"

	"github.com/jmoiron/sqlx"
	"github.com/redis/go-redis/v9"
)

// bare has handlers that do the input and output of ours, and nothing else: no traces, metrics, log, checks or errors
// that say anything. Statements are prepared.
type bare struct {
	redis  *redis.Client
	random *sqlx.Stmt
	list   *sqlx.Stmt
	picks  *sqlx.Stmt // of a person
	change map[string]*sqlx.Stmt
	votes  *sqlx.Stmt
	bytes  []byte
}

type piece struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description"`
	ImageURL    string `json:"image_url" db:"image_url"`
	Votes       int64  `json:"votes"`
}

// serveBare runs them until the process ends.
func serveBare(ctx context.Context, c local.Config, product string) (url string, err error) {
	options, err := redis.ParseURL(c.RedisURL)
	if err != nil {
		return "", err
	}
	db, err := sqlx.Open("postgres", c.DatabaseURL)
	if err != nil {
		return "", err
	}
	db.SetMaxOpenConns(15) // as ours
	db.SetMaxIdleConns(15)
	prepare := func(query string) *sqlx.Stmt {
		s, prepareErr := db.PreparexContext(ctx, query)
		if prepareErr != nil {
			err = prepareErr
		}
		return s
	}
	const columns = `SELECT id, name, description, image_url, votes FROM product.products AS p WHERE deleted_at IS NULL `
	h := bare{
		redis: redis.NewClient(options), bytes: make([]byte, 1<<20),
		random: prepare(columns + `ORDER BY random() LIMIT 1`),
		list:   prepare(columns + `ORDER BY id LIMIT 24`),
		picks: prepare(columns + `AND NOT EXISTS (
			SELECT FROM product.votes AS v WHERE v.person_id = $1 AND v.product_id = p.id)
			ORDER BY votes DESC, id DESC LIMIT 4`),
		change: map[string]*sqlx.Stmt{
			"POST":   prepare(`INSERT INTO product.votes (person_id, product_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`),
			"DELETE": prepare(`DELETE FROM product.votes WHERE person_id = $1 AND product_id = $2`),
		},
		votes: prepare(`SELECT votes FROM product.products WHERE id = $1`),
	}
	if err != nil {
		return "", err
	}
	for _, path := range []string{"/api/products/1", "/api/origamis/1/votes"} {
		body, err := fetch(ctx, product+path, "")
		if err == nil {
			err = h.redis.Set(ctx, "bare:"+path, body, 0).Err()
		}
		if err != nil {
			return "", err
		}
	}
	l, err := listen(ctx)
	if err != nil {
		return "", err
	}
	go func() { _ = http.Serve(l, h.routes(db)) }()
	return "http://" + l.Addr().String(), nil
}

func (h bare) routes(db *sqlx.DB) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /cached/{path...}", func(w http.ResponseWriter, r *http.Request) {
		body, err := h.redis.Get(r.Context(), "bare:/"+r.PathValue("path")).Bytes()
		reply(w, body, err)
	})
	selected := func(s *sqlx.Stmt, names ...string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			var args []any
			for _, name := range names {
				args = append(args, r.PathValue(name))
			}
			var pieces []piece
			err := s.SelectContext(r.Context(), &pieces, args...)
			body, _ := json.Marshal(pieces)
			reply(w, body, err)
		}
	}
	mux.HandleFunc("GET /random", selected(h.random))
	mux.HandleFunc("GET /list", selected(h.list))
	mux.HandleFunc("GET /picks/{person}", selected(h.picks, "person"))
	mux.HandleFunc("/votes/{person}/{id}", func(w http.ResponseWriter, r *http.Request) {
		n, err := h.vote(r.Context(), db, h.change[r.Method], r.PathValue("person"), r.PathValue("id"))
		reply(w, strconv.AppendInt(nil, n, 10), err)
	})
	mux.HandleFunc("GET /bytes/{n}", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.PathValue("n"))
		reply(w, h.bytes[:n], err)
	})
	return mux
}

// vote is one transaction for one vote.
func (h bare) vote(ctx context.Context, db *sqlx.DB, change *sqlx.Stmt, person, id string) (n int64, err error) {
	tx, err := db.BeginTxx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer func() { _ = tx.Rollback() }()
	if _, err := tx.StmtxContext(ctx, change).ExecContext(ctx, person, id); err != nil {
		return 0, err
	}
	if err := tx.StmtxContext(ctx, h.votes).GetContext(ctx, &n, id); err != nil { //nolint:sqlclosecheck // tx closes it
		return 0, err
	}
	return n, tx.Commit()
}

func reply(w http.ResponseWriter, body []byte, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	_, _ = w.Write(body)
}

func listen(ctx context.Context) (net.Listener, error) {
	return (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
}

// fetch is the body at url for somebody with the cookies.
func fetch(ctx context.Context, url, cookies string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Cookie", cookies)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	return io.ReadAll(res.Body)
}

package db

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/lib/pq"
	"github.com/pressly/goose/v3"
)

// Account is a person who can sign in.
type Account struct {
	Username string
	Email    string
	Password string
	Role     string // user, curator or admin
	hash     string // bcrypt, cost 12, of Password; written down, since the password is public anyway and hashing takes a second
}

// DemoAccounts are the accounts that Seed makes, one per role. Their passwords are public: never seed a database that
// strangers reach.
func DemoAccounts() []Account {
	return []Account{
		{"user", "user@example.com", "paper-crane-user", "user", "$2a$12$qX1YJvfS6QGQOliWK9aQruatWm13Xl3E6SkNNUTf9ceeL25svSPg."},
		{"curator", "curator@example.com", "paper-crane-curator", "curator", "$2a$12$rHiUGqsYPx8R2T9dU.epe.CfxwTe0cVEle55xy4268kG8F19YTETa"},
		{"admin", "admin@example.com", "paper-crane-admin", "admin", "$2a$12$Y3gjP5xZHnVhVNq/JNCD9ucMhJLonCKTMB2DZXokA2wKU8vdhy5hm"},
	}
}

// voterHash is the bcrypt hash, cost 12, of 128 random bits that nobody wrote down: nobody signs in as a voter, and
// trying takes as long as with everybody else.
const voterHash = "$2a$12$8FCxP6jcrMFbXqsWJiS70uT9BOb4w6c1FJt5DOqOAgTmMZV/3YFoy"

// Seed fills a migrated database with the origami, the demo accounts, and made-up voters with their votes. It happens
// once in the life of a database, whole or not at all: a second call changes nothing and brings nothing back that
// people changed or deleted since. What people made before the first call is kept too, and wins over seed data of the
// same id, user name or e-mail address. Any number of replicas may call it at once.
func Seed(ctx context.Context, adminURL string) error {
	pool, err := open(adminURL)
	if err != nil {
		return err
	}
	defer pool.Close()
	conn, err := lockCurrent(ctx, pool)
	if err != nil {
		return err
	}
	defer conn.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, nil,
		goose.WithTableName("product.goose_seed_version"), goose.WithDisableGlobalRegistry(true),
		goose.WithGoMigrations(goose.NewGoMigration(1, &goose.GoFunc{RunTx: plant}, nil)))
	if err != nil {
		return fmt.Errorf("prepare seed: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

// plant writes all of the seed data.
func plant(ctx context.Context, tx *sql.Tx) error {
	var origami []piece
	if err := read("origami.json", &origami); err != nil {
		return err
	}
	var words voterWords
	if err := read("voters.json", &words); err != nil {
		return err
	}
	for _, a := range DemoAccounts() {
		if _, err := insertPeople(ctx, tx, []string{a.Username}, []string{a.Email}, a.hash, a.Role); err != nil {
			return err
		}
	}
	voters := words.voters()
	personIDs, err := insertPeople(ctx, tx, usernames(voters), emails(voters), voterHash, "user")
	if err != nil {
		return err
	}
	planted, err := insertOrigami(ctx, tx, origami)
	if err != nil {
		return err
	}
	return insertVotes(ctx, tx, ballots(origami, words, voters), personIDs, planted)
}

func read(name string, into any) error {
	text, err := sources.ReadFile("seed/" + name)
	if err != nil {
		return fmt.Errorf("read seed: %w", err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("read seed %s: %w", name, err)
	}
	return nil
}

// insertPeople returns the ids of those it inserted by their user names; others existed already.
func insertPeople(ctx context.Context, tx *sql.Tx, usernames, emails []string, hash, role string) (map[string]int64, error) {
	const query = `
		INSERT INTO auth.users (username, email, password_hash, role, created_at)
		SELECT p.username, p.email, $3, $4, $5
		  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS p (username, email, n)
		 ORDER BY p.n
		ON CONFLICT DO NOTHING
		RETURNING id, username`
	rows, err := tx.QueryContext(ctx, query, pq.Array(usernames), pq.Array(emails), hash, role, opening())
	if err != nil {
		return nil, fmt.Errorf("insert people: %w", err)
	}
	defer rows.Close()
	ids := make(map[string]int64, len(usernames))
	for rows.Next() {
		var id int64
		var username string
		if err := rows.Scan(&id, &username); err != nil {
			return nil, fmt.Errorf("insert people: %w", err)
		}
		ids[username] = id
	}
	return ids, rows.Err()
}

// piece is one origami of seed/origami.json.
type piece struct {
	Slug        string
	Name        string
	Description string
	Difficulty  string
	Folds       int
	Paper       string
}

// opening is the fixed moment at which the made-up gallery opened; one piece came every week since.
func opening() time.Time {
	return time.Date(2025, time.July, 7, 9, 0, 0, 0, time.UTC)
}

// arrival is when the nth piece came, from 0.
func arrival(n int) time.Time {
	return opening().AddDate(0, 0, 7*n).Add(time.Duration(n*37%480) * time.Minute)
}

// insertOrigami gives the pieces the ids 1, 2, … in the order of the file, and returns those that were free.
func insertOrigami(ctx context.Context, tx *sql.Tx, origami []piece) (map[int64]bool, error) {
	const query = `
		INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper, created_at, updated_at)
		OVERRIDING SYSTEM VALUE
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
		ON CONFLICT DO NOTHING`
	const advance = `
		SELECT setval('product.products_id_seq', greatest(max(p.id), (SELECT last_value FROM product.products_id_seq)))
		  FROM product.products AS p`
	planted := make(map[int64]bool, len(origami))
	for i, o := range origami {
		id := int64(i + 1)
		image := "/static/origami/" + o.Slug + ".svg"
		result, err := tx.ExecContext(ctx, query, id, o.Name, o.Description, image, o.Difficulty, o.Folds, o.Paper, arrival(i))
		if err != nil {
			return nil, fmt.Errorf("insert origami %s: %w", o.Slug, err)
		}
		inserted, err := result.RowsAffected()
		if err != nil {
			return nil, fmt.Errorf("insert origami %s: %w", o.Slug, err)
		}
		planted[id] = inserted == 1
	}
	if _, err := tx.ExecContext(ctx, advance); err != nil {
		return nil, fmt.Errorf("advance the ids of products: %w", err)
	}
	return planted, nil
}

// insertVotes leaves out the votes of voters and for pieces that the seed did not insert.
func insertVotes(ctx context.Context, tx *sql.Tx, all []ballot, personIDs map[string]int64, planted map[int64]bool) error {
	const query = `
		INSERT INTO product.votes (person_id, product_id, created_at)
		SELECT v.person_id, v.product_id, to_timestamp(v.at)
		  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS v (person_id, product_id, at)`
	var persons, products, times []int64
	for _, b := range all {
		if id, ok := personIDs[b.username]; ok && planted[b.productID] {
			persons, products, times = append(persons, id), append(products, b.productID), append(times, b.at.Unix())
		}
	}
	if _, err := tx.ExecContext(ctx, query, pq.Array(persons), pq.Array(products), pq.Array(times)); err != nil {
		return fmt.Errorf("insert votes: %w", err)
	}
	return nil
}

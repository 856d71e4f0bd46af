package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/pressly/goose/v3"
)

// Account is a person who can sign in.
type Account struct {
	Username string
	Email    string
	Password string
	Role     string // user, curator or admin
	hash     string // bcrypt, cost 12, of Password, which is public anyway; hashing takes a second
}

// DemoAccounts are the accounts that Seed makes, one per role. Their passwords are public: never seed a database that
// strangers reach.
func DemoAccounts() []Account {
	return []Account{{
		Username: "user", Email: "user@example.com", Password: "paper-crane-user", Role: "user",
		hash: "$2a$12$qX1YJvfS6QGQOliWK9aQruatWm13Xl3E6SkNNUTf9ceeL25svSPg.",
	}, {
		Username: "curator", Email: "curator@example.com", Password: "paper-crane-curator", Role: "curator",
		hash: "$2a$12$rHiUGqsYPx8R2T9dU.epe.CfxwTe0cVEle55xy4268kG8F19YTETa",
	}, {
		Username: "admin", Email: "admin@example.com", Password: "paper-crane-admin", Role: "admin",
		hash: "$2a$12$Y3gjP5xZHnVhVNq/JNCD9ucMhJLonCKTMB2DZXokA2wKU8vdhy5hm",
	}}
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
		goose.WithGoMigrations(goose.NewGoMigration(1, &goose.GoFunc{RunTx: insertSeed}, nil)))
	if err != nil {
		return fmt.Errorf("prepare seed: %w", err)
	}
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	return nil
}

// insertSeed writes all of the seed data.
func insertSeed(ctx context.Context, tx *sql.Tx) error {
	const insertAccount = `
		INSERT INTO auth.users (username, email, password_hash, role, created_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT DO NOTHING`
	const advance = `
		SELECT setval('product.products_id_seq', greatest(max(p.id), (SELECT last_value FROM product.products_id_seq)))
		  FROM product.products AS p`
	origami, err := sources.ReadFile("seed/origami.json")
	if err != nil {
		return fmt.Errorf("read seed: %w", err)
	}
	words, err := sources.ReadFile("seed/voters.json")
	if err != nil {
		return fmt.Errorf("read seed: %w", err)
	}
	for _, a := range DemoAccounts() {
		if _, err := tx.ExecContext(ctx, insertAccount, a.Username, a.Email, a.hash, a.Role, opening); err != nil {
			return fmt.Errorf("insert account %s: %w", a.Username, err)
		}
	}
	if _, err := tx.ExecContext(ctx, createDraw); err != nil {
		return fmt.Errorf("create function draw: %w", err)
	}
	if _, err := tx.ExecContext(ctx, insertGallery, string(origami), string(words), voterHash, opening); err != nil {
		return fmt.Errorf("insert origami, voters and votes: %w", err)
	}
	if _, err := tx.ExecContext(ctx, advance); err != nil {
		return fmt.Errorf("advance the ids of products: %w", err)
	}
	return nil
}

// opening is when the made-up gallery opened; one product came every week since.
const opening = "2025-07-07T09:00:00Z"

// insertGallery inserts the products of $1, which get the ids 1, 2, … in the order of the file, 200 voters whose names
// are made of the words of $2, and their votes. Products and voters that exist already are left out with their votes.
//
// Each product gets the number of votes that $2 says, from voters drawn without repetition, each as likely as its
// weight (Efraimidis and Spirakis, 2006). A voter is active, from 1 to 4, and prefers a first and a second taste, so
// that people who share votes do share a taste.
const insertGallery = `
	WITH words AS (
	    SELECT w, array(SELECT jsonb_object_keys(w -> 'tastes') ORDER BY 1) AS tastes
	      FROM (VALUES ($2::jsonb)) AS v (w)
	), origami AS (
	    SELECT *, '/static/origami/' || slug || '.svg' AS image_url
	      FROM ROWS FROM (jsonb_to_recordset($1) AS (
	               slug text, name text, description text, difficulty text, folds integer, paper text,
	               maker text, instructions_url text)) WITH ORDINALITY
	        AS o (slug, name, description, difficulty, folds, paper, maker, instructions_url, id)
	), products AS (
	    INSERT INTO product.products
	           (id, name, description, image_url, difficulty, folds, paper, maker, instructions_url, created_at,
	            updated_at)
	           OVERRIDING SYSTEM VALUE
	    SELECT o.id, o.name, o.description, o.image_url, o.difficulty, o.folds, o.paper, coalesce(o.maker, ''),
	           coalesce(o.instructions_url, ''), a.arrival, a.arrival
	      FROM origami AS o,
	           LATERAL (SELECT $4::timestamptz + make_interval(hours => 7 * 24 * (o.id::integer - 1),
	                                                           mins => o.id::integer * 37 % 480)) AS a (arrival)
	        ON CONFLICT DO NOTHING
	    RETURNING id, created_at
	), names AS (
	    SELECT n,
	           CASE pg_temp.draw(n, 0, 7)
	           WHEN 0 THEN given || '.' || family
	           WHEN 1 THEN given || '_' || family
	           WHEN 2 THEN given || left(family, 1)
	           WHEN 3 THEN left(given, 1) || '.' || family
	           WHEN 4 THEN given || 70 + pg_temp.draw(n, 1, 30)
	           WHEN 5 THEN family || '-' || given
	           ELSE given || '.' || ('{folds,paper,creases,washi,origami}'::text[])[1 + pg_temp.draw(n, 1, 5)]
	           END AS username
	      FROM words, generate_series(1, 300) AS n,
	           LATERAL (SELECT w -> 'given' ->> pg_temp.draw(n, 2, jsonb_array_length(w -> 'given'))::integer,
	                           w -> 'family' ->> pg_temp.draw(n, 3, jsonb_array_length(w -> 'family'))::integer
	                   ) AS p (given, family)
	), voters AS (
	    INSERT INTO auth.users (username, email, password_hash, created_at)
	    SELECT username, username || ('{@example.com,@example.org}'::text[])[1 + pg_temp.draw(min(n), 4, 2)], $3, $4
	      FROM names
	     GROUP BY username
	     ORDER BY min(n)
	     LIMIT 200
	        ON CONFLICT DO NOTHING
	    RETURNING id, hashtextextended(username, 0) AS key
	), weighted AS (
	    SELECT v.id AS person_id, p.id AS product_id, (w -> 'votes' ->> o.slug)::integer AS votes,
	           p.created_at + make_interval(mins => pg_temp.draw(v.key, 1000 + p.id, 28 * 24 * 60)::integer) AS voted_at,
	           (1 + pg_temp.draw(v.key, 2000 + p.id, 1000000)) / 1000001.0 AS chance,
	           (1 + pg_temp.draw(v.key, 5, 4)) *
	           CASE WHEN w -> 'tastes' -> tastes[1 + pg_temp.draw(v.key, 6, cardinality(tastes))] ? o.slug THEN 30
	                WHEN w -> 'tastes' -> tastes[1 + pg_temp.draw(v.key, 7, cardinality(tastes))] ? o.slug THEN 6
	                ELSE 1
	           END AS weight
	      FROM words, voters AS v, products AS p JOIN origami AS o ON o.id = p.id
	), drawn AS (
	    SELECT *, row_number() OVER (PARTITION BY product_id ORDER BY -ln(chance) / weight) AS place
	      FROM weighted
	)
	INSERT INTO product.votes (person_id, product_id, created_at)
	SELECT person_id, product_id, voted_at
	  FROM drawn
	 WHERE place <= votes`

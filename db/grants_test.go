package db_test

import (
	"strings"
	"testing"

	"github.com/lib/pq"

	"craftista/db/pgtest"
)

// TestEachRoleCanDoItsJobAndNothingElse tries every statement as every role, and undoes it.
func TestEachRoleCanDoItsJobAndNothingElse(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	mustExec(t, pgtest.Open(t, d.AdminURL), insertExamples)
	urls := map[string]string{"auth": d.AuthURL, "product": d.ProductURL, "recommendation": d.RecommendationURL}
	for allowed, statements := range map[string][]string{
		"auth": {
			`SELECT id, password_hash FROM auth.users`,
			`INSERT INTO auth.users (username, email, password_hash) VALUES ('new', 'n@example.com', 'x')`,
			`UPDATE auth.users SET password_hash = 'y'`,
			`DELETE FROM auth.users`,
			`INSERT INTO auth.mail_tokens VALUES (1, 'reset', sha256('x'), 'c@example.com', now())`,
			`UPDATE auth.mail_tokens SET hash = sha256('x'), email = 'c@example.com', expires_at = now()`,
			`SELECT hash FROM auth.mail_tokens`,
			`DELETE FROM auth.mail_tokens`,
			`INSERT INTO auth.refresh_families (user_id, expires_at) VALUES (1, 'infinity')`,
			`UPDATE auth.refresh_families SET revoked_at = now()`,
			`DELETE FROM auth.refresh_families`,
			`INSERT INTO auth.throttle VALUES (sha256('x'), 1, now(), now())`,
			`SELECT key FROM auth.throttle`,
			`SELECT hash FROM auth.refresh_tokens`,
			`UPDATE auth.refresh_tokens SET used_at = now()`,
			`INSERT INTO auth.clients (id, name, redirect_uris, post_logout_redirect_uris, scopes)
			 VALUES ('client-b', 'b', '{x}', '{}', '{}')`,
			`SELECT id, secret_hash FROM auth.clients`,
			`UPDATE auth.clients SET disabled_at = now(), secret_hash = sha256('x')`,
			`DELETE FROM auth.clients`,
			`INSERT INTO auth.codes VALUES (sha256('x'), 'client-a', 1, '', '', '', '', now(), now())`,
			`UPDATE auth.codes SET used_at = now(), family_id = 1`,
			`DELETE FROM auth.codes`,
			`INSERT INTO auth.signing_keys VALUES (now(), 'x')`,
			`SELECT sealed FROM auth.signing_keys`,
			`DELETE FROM auth.signing_keys`,
			`SELECT version_id FROM auth.goose_db_version`,
		},
		"product": {
			`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
			 VALUES ('a', 'b', 'c', 'easy', 1, 'd')`,
			`UPDATE product.products SET name = 'x', updated_at = now() WHERE id = 1`,
			`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, maker, instructions_url)
			 VALUES ('a', 'b', 'c', 'easy', 1, 'd', 'e', 'https://example.com')`,
			`UPDATE product.products SET maker = 'x', instructions_url = '' WHERE id = 1`,
			`SELECT id FROM product.products FOR UPDATE`,
			`UPDATE product.products SET version = version + 1 WHERE id = 1`,
			`UPDATE product.products SET deleted_at = now() WHERE id = 1`,
			`INSERT INTO product.images (name, media_type, body)
			 VALUES (encode(sha256('x'), 'hex') || '.png', 'image/png', 'x')`,
			`SELECT body FROM product.images`,
			`INSERT INTO product.additions (person_id, key, draft, product_id) VALUES (1, 'k', sha256('x'), 1)`,
			`SELECT product_id FROM product.additions`,
			`INSERT INTO product.votes (person_id, product_id) VALUES (2, 1)`,
			`DELETE FROM product.votes WHERE person_id = 1`,
			`SELECT generation, fenced_until FROM product.cache_generation`,
			`UPDATE product.cache_generation SET generation = generation + 1, fenced_until = now()`,
			`SELECT s.product_id FROM product.search AS s, product.words`,
			`SELECT version_id FROM product.goose_db_version`,
			`SET ROLE craftista_product`,
		},
		"recommendation": {
			`SELECT day, product_id FROM recommendation.daily`,
			`INSERT INTO recommendation.daily (day, product_id) VALUES ('2026-02-01', 1)`,
			`SELECT version_id FROM recommendation.goose_db_version`,
		},
		"product and recommendation": {
			`SELECT id, votes FROM product.products`,
			`SELECT person_id FROM product.votes`,
			`SELECT product.words_of('a')`,
		},
		"nobody": {
			`TRUNCATE auth.users`,
			`ALTER TABLE auth.users ADD COLUMN x text`,
			`UPDATE auth.refresh_families SET expires_at = 'infinity'`,
			`UPDATE auth.refresh_families SET user_id = 2`,
			`UPDATE auth.refresh_tokens SET expires_at = 'infinity'`,
			`DELETE FROM auth.refresh_tokens`,
			`UPDATE auth.mail_tokens SET user_id = 2`,
			`UPDATE auth.mail_tokens SET purpose = 'reset'`,
			`UPDATE auth.clients SET redirect_uris = '{}'`,
			`UPDATE auth.codes SET expires_at = 'infinity'`,
			`UPDATE auth.codes SET client_id = 'client-b'`,
			`DELETE FROM product.products WHERE id = 1`,
			`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, votes)
			 VALUES ('a', 'b', 'c', 'easy', 1, 'd', 100)`,
			`INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
			 OVERRIDING SYSTEM VALUE VALUES (99, 'a', 'b', 'c', 'easy', 1, 'd')`,
			`UPDATE product.products SET votes = 100 WHERE id = 1`,
			`UPDATE product.products SET created_at = now()`,
			`TRUNCATE product.products CASCADE`,
			`SELECT setval('product.products_id_seq', 1)`,
			`UPDATE product.images SET body = 'y'`,
			`DELETE FROM product.images`,
			`INSERT INTO product.images (name, media_type, body, created_at) VALUES ('x', 'image/png', 'x', now())`,
			`UPDATE product.additions SET product_id = 2`,
			`DELETE FROM product.additions`,
			`UPDATE product.votes SET person_id = 3`,
			`INSERT INTO product.votes (person_id, product_id)
			 VALUES (1, 1) ON CONFLICT (person_id, product_id) DO UPDATE SET person_id = 9`,
			`TRUNCATE product.votes`,
			`ALTER TABLE product.votes DISABLE TRIGGER ALL`,
			`SET session_replication_role = replica`,
			`SELECT product.count_votes()`,
			`CREATE TEMPORARY TABLE mine (product_id bigint);
			 CREATE TRIGGER mine AFTER INSERT ON mine REFERENCING NEW TABLE AS changed
			 FOR EACH STATEMENT EXECUTE FUNCTION product.count_votes()`,
			`INSERT INTO product.cache_generation DEFAULT VALUES`,
			`DELETE FROM product.cache_generation`,
			`UPDATE product.search SET words = ''`,
			`INSERT INTO product.words VALUES ('a', 1)`,
			`SELECT product.count_words()`,
			`SELECT product.count_voters()`,
			`UPDATE product.voters SET newest = '{}'`,
			`DELETE FROM product.voters`,
			`UPDATE recommendation.daily SET product_id = 2`,
			`DELETE FROM recommendation.daily`,
			`CREATE TABLE public.t (id int)`,
			`CREATE TABLE auth.t (id int)`,
			`CREATE TABLE product.t (id int)`,
			`CREATE TABLE recommendation.t (id int)`,
			`CREATE SCHEMA s`,
			`ALTER ROLE CURRENT_USER CREATEDB`,
			`CREATE ROLE r`,
			`SELECT rolpassword FROM pg_authid`,
			`COPY product.votes TO PROGRAM 'true'`,
		},
	} {
		for _, statement := range statements {
			for role, url := range urls {
				t.Run(statement+" as "+role, func(t *testing.T) {
					t.Parallel()
					want := "42501" // insufficient_privilege
					if strings.Contains(allowed, role) {
						want = ""
					}
					_, err := pgtest.Open(t, url).ExecContext(t.Context(), "BEGIN; "+statement+"; ROLLBACK")
					if got := refusal(t, err).SQLState(); got != want {
						t.Errorf("got %v, want SQLSTATE %q", err, want)
					}
				})
			}
		}
	}
}

// TestRecommendationReadsWhatIsPublishedAndWritesItsOwn tries each kind of statement on each table and sequence that
// there is, so that none is forgotten when one is added.
func TestRecommendationReadsWhatIsPublishedAndWritesItsOwn(t *testing.T) {
	t.Parallel()
	allowed := map[string]string{
		"product.products":                "SELECT",
		"product.votes":                   "SELECT",
		"product.voters":                  "SELECT",
		"recommendation.daily":            "SELECT INSERT",
		"recommendation.goose_db_version": "SELECT",
	}
	const relations = `
		SELECT c.oid::regclass::text, a.attname
		  FROM pg_class AS c
		  JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = 1
		 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
		   AND c.relnamespace::regnamespace::text IN ('auth', 'product', 'recommendation', 'public')`
	d := pgtest.New(t)
	rows, err := pgtest.Open(t, d.AdminURL).QueryContext(t.Context(), relations)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	service, tried := pgtest.Open(t, d.RecommendationURL), 0
	for rows.Next() {
		var name, column string
		if err := rows.Scan(&name, &column); err != nil {
			t.Fatal(err)
		}
		for kind, statement := range map[string]string{
			"SELECT":   "SELECT " + column + " FROM " + name,
			"INSERT":   "INSERT INTO " + name + " DEFAULT VALUES",
			"UPDATE":   "UPDATE " + name + " SET " + column + " = DEFAULT",
			"DELETE":   "DELETE FROM " + name,
			"TRUNCATE": "TRUNCATE " + name + " CASCADE",
		} {
			tx, err := service.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = tx.ExecContext(t.Context(), statement)
			_ = tx.Rollback()
			refused := err != nil && refusal(t, err).Code != "23502" // a value is missing, which is no matter of rights
			if want := !strings.Contains(allowed[name], kind); refused != want {
				t.Errorf("%s: got %v, want it refused: %t", statement, err, want)
			}
			tried++
		}
	}
	if err := rows.Err(); err != nil || tried < 100 {
		t.Errorf("%d statements, %v", tried, err)
	}
}

// TestEvenTheSuperuserKeepsTheConstraints: each statement violates one.
func TestEvenTheSuperuserKeepsTheConstraints(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	mustExec(t, pgtest.Open(t, d.AdminURL), insertExamples)
	const (
		insertUser     = `INSERT INTO auth.users (username, password_hash, email, role) VALUES `
		insertToken    = `INSERT INTO auth.mail_tokens VALUES `
		insertImage    = `INSERT INTO product.images (name, media_type, body) `
		insertAddition = `INSERT INTO product.additions (person_id, key, draft, product_id) `
	)
	for statement, constraint := range map[string]string{
		insertUser + `('CRANE', 'x', 'other@example.com', 'user')`:  "users_username_key",
		insertUser + `('other', 'x', 'Crane@Example.com', 'user')`:  "users_email_key",
		insertUser + `('ab', 'x', 'other@example.com', 'user')`:     "users_username_format",
		insertUser + `('a b c', 'x', 'other@example.com', 'user')`:  "users_username_format",
		insertUser + `(E'abc\n', 'x', 'other@example.com', 'user')`: "users_username_format",
		insertUser + `('other', 'x', 'other@example.com', 'root')`:  "users_role_known",
		insertUser + `('other', 'x', '@', 'user')`:                  "users_email_length",
		`UPDATE auth.users SET deleted_at = now()`:                  "users_deleted_are_disabled",
		insertToken + `(1, 'login', sha256('x'), '', now())`:        "mail_tokens_purpose_known",
		insertToken + `(1, 'reset', 'x', '', now())`:                "mail_tokens_hash_is_sha256",
		`UPDATE product.products SET votes = votes + 1`:             "products_votes_are_counted",
		`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, votes)
		 VALUES ('a', 'b', 'c', 'easy', 1, 'd', 100)`: "products_votes_start_at_zero",
		`UPDATE product.votes SET product_id = 2`:                                           "votes_never_change",
		`TRUNCATE product.votes`:                                                            "votes_never_change",
		`TRUNCATE product.products CASCADE`:                                                 "votes_never_change",
		`INSERT INTO product.votes (person_id, product_id) VALUES (1, 1)`:                   "votes_pkey",
		`INSERT INTO product.votes (person_id, product_id) VALUES (1, 404)`:                 "votes_product_id_fkey",
		`UPDATE product.products SET folds = 1001`:                                          "products_folds_range",
		`UPDATE product.products SET maker = repeat('x', 101)`:                              "products_maker_length",
		`UPDATE product.products SET instructions_url = 'http://example.com'`:               "products_instructions_url_form",
		`UPDATE product.products SET instructions_url = E'https://a\nb'`:                    "products_instructions_url_form",
		`UPDATE product.products SET version = 0`:                                           "products_version_positive",
		insertImage + `VALUES ('x.png', 'image/png', 'x')`:                                  "images_name_is_content",
		insertImage + `VALUES (encode(sha256('x'), 'hex') || '.png', 'image/svg+xml', 'x')`: "images_name_is_content",
		insertImage + `VALUES (encode(sha256('x'), 'hex') || '.svg', 'text/html', 'x')`:     "images_media_type_known",
		insertImage + `SELECT encode(sha256(b), 'hex') || '.png', 'image/png', b
		 FROM convert_to(repeat('x', 2097153), 'UTF8') AS b`: "images_body_length",
		insertImage + `VALUES (encode(sha256('y'), 'hex') || '-9x9.jpg', 'image/jpeg', 'x')`:   "images_name_is_content",
		insertImage + `VALUES (encode(sha256('x'), 'hex') || '-9x9.jpg', 'image/png', 'x')`:    "images_name_is_content",
		insertImage + `VALUES (encode(sha256('x'), 'hex') || '.jpg', 'image/jpeg', 'x')`:       "images_name_is_content",
		insertImage + `VALUES (encode(sha256('y'), 'hex') || '-9x9-3.jpg', 'image/jpeg', 'x')`: "images_name_is_content",
		insertAddition + `SELECT 1, 'k', sha256('x'), 1 FROM generate_series(1, 2)`:            "additions_pkey",
		insertAddition + `VALUES (1, 'k"', sha256('x'), 1)`:                                    "additions_key_form",
		insertAddition + `VALUES (1, 'k', 'x', 1)`:                                             "additions_draft_is_a_hash",

		insertAddition + `VALUES (0, 'k', sha256('x'), 1)`:                "additions_person_id_positive",
		`INSERT INTO product.votes (person_id, product_id) VALUES (0, 1)`: "votes_person_id_positive",
	} {
		t.Run(statement, func(t *testing.T) {
			t.Parallel()
			_, err := pgtest.Open(t, d.AdminURL).ExecContext(t.Context(), statement)
			if refusal(t, err).Constraint != constraint {
				t.Errorf("got error %v, want a violation of %s", err, constraint)
			}
		})
	}
}

// insertExamples inserts one person, two products, one vote and one day.
const insertExamples = `
	INSERT INTO auth.users (username, email, password_hash)
	VALUES ('crane', 'crane@example.com', 'x');
	INSERT INTO auth.clients (id, name, redirect_uris, post_logout_redirect_uris, scopes)
	VALUES ('client-a', 'a', '{https://a.example/}', '{}', '{openid}');
	INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
	SELECT 'Product ' || n, 'Folded.', '/x.svg', 'easy', n, '15 cm'
	  FROM generate_series(1, 2) AS n;
	INSERT INTO product.votes (person_id, product_id)
	VALUES (1, 1);
	INSERT INTO recommendation.daily (day, product_id)
	VALUES ('2026-01-01', 1)`

// refusal is what PostgreSQL answered to a statement that it refused; it is empty if err is nil.
func refusal(t *testing.T, err error) *pq.Error {
	t.Helper()
	switch refused := pq.As(err); {
	case refused != nil:
		return refused
	case err != nil:
		t.Fatal(err)
	}
	return new(pq.Error)
}

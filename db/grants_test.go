package db_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"craftista/db/pgtest"
)

// TestEachRoleCanDoItsJobAndNothingElse tries every attempt as every role; a role that is not named is refused.
func TestEachRoleCanDoItsJobAndNothingElse(t *testing.T) {
	t.Parallel()
	const auth, product, recommendation = "auth", "product", "recommendation"
	d := pgtest.New(t)
	fill(t, d)
	urls := map[string]string{auth: d.AuthURL, product: d.ProductURL, recommendation: d.RecommendationURL}
	for name, test := range map[string]struct {
		statement string
		allowed   []string
	}{
		"read people": {`SELECT id, password_hash FROM auth.users`, []string{auth}},
		"register": {`INSERT INTO auth.users (username, email, password_hash)
			VALUES ('new', 'n@example.com', 'x')`, []string{auth}},
		"change password": {`UPDATE auth.users SET password_hash = 'y'`, []string{auth}},
		"delete people":   {`DELETE FROM auth.users`, nil},
		"truncate people": {`TRUNCATE auth.users`, nil},
		"add column":      {`ALTER TABLE auth.users ADD COLUMN x text`, nil},

		"start a family": {`INSERT INTO auth.refresh_families (user_id, expires_at)
			VALUES (1, 'infinity')`, []string{auth}},
		"revoke families":    {`UPDATE auth.refresh_families SET revoked_at = now()`, []string{auth}},
		"delete families":    {`DELETE FROM auth.refresh_families`, []string{auth}},
		"prolong families":   {`UPDATE auth.refresh_families SET expires_at = 'infinity'`, nil},
		"give a family away": {`UPDATE auth.refresh_families SET user_id = 2`, nil},
		"count failures":     {`INSERT INTO auth.throttle VALUES (sha256('x'), 1, now(), now())`, []string{auth}},
		"read counts":        {`SELECT key FROM auth.throttle`, []string{auth}},
		"read tokens":        {`SELECT hash FROM auth.refresh_tokens`, []string{auth}},
		"use tokens":         {`UPDATE auth.refresh_tokens SET used_at = now()`, []string{auth}},
		"prolong tokens":     {`UPDATE auth.refresh_tokens SET expires_at = 'infinity'`, nil},
		"delete tokens":      {`DELETE FROM auth.refresh_tokens`, nil},

		"register a client": {`INSERT INTO auth.clients (id, name, redirect_uris, post_logout_redirect_uris, scopes)
			VALUES ('client-b', 'b', '{x}', '{}', '{}')`, []string{auth}},
		"read clients":       {`SELECT id, secret_hash FROM auth.clients`, []string{auth}},
		"redirect elsewhere": {`UPDATE auth.clients SET redirect_uris = '{}'`, nil},
		"delete clients":     {`DELETE FROM auth.clients`, nil},
		"keep a code": {`INSERT INTO auth.codes
			VALUES (sha256('x'), 'client-a', 1, '', '', '', '', now(), now())`, []string{auth}},
		"redeem a code":         {`UPDATE auth.codes SET used_at = now(), family_id = 1`, []string{auth}},
		"delete codes":          {`DELETE FROM auth.codes`, []string{auth}},
		"prolong codes":         {`UPDATE auth.codes SET expires_at = 'infinity'`, nil},
		"give codes to another": {`UPDATE auth.codes SET client_id = 'client-b'`, nil},

		"read products": {`SELECT id, votes FROM product.products`, []string{product, recommendation}},
		"create product": {`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper)
			VALUES ('a', 'b', 'c', 'easy', 1, 'd')`, []string{product}},
		"edit product":   {`UPDATE product.products SET name = 'x', updated_at = now() WHERE id = 1`, []string{product}},
		"lock product":   {`SELECT id FROM product.products FOR UPDATE`, []string{product}},
		"count the edit": {`UPDATE product.products SET version = version + 1 WHERE id = 1`, []string{product}},
		"delete product": {`UPDATE product.products SET deleted_at = now() WHERE id = 1`, []string{product}},
		"erase product":  {`DELETE FROM product.products WHERE id = 1`, nil},
		"create with votes": {`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, votes)
			VALUES ('a', 'b', 'c', 'easy', 1, 'd', 100)`, nil},
		"choose an id": {`INSERT INTO product.products (id, name, description, image_url, difficulty, folds, paper)
			OVERRIDING SYSTEM VALUE VALUES (99, 'a', 'b', 'c', 'easy', 1, 'd')`, nil},
		"set the count":     {`UPDATE product.products SET votes = 100 WHERE id = 1`, nil},
		"back-date":         {`UPDATE product.products SET created_at = now()`, nil},
		"truncate products": {`TRUNCATE product.products CASCADE`, nil},
		"move the sequence": {`SELECT setval('product.products_id_seq', 1)`, nil},

		"upload an image": {`INSERT INTO product.images (name, media_type, body)
			VALUES (encode(sha256('x'), 'hex') || '.png', 'image/png', 'x')`, []string{product}},
		"read images":     {`SELECT body FROM product.images`, []string{product}},
		"change an image": {`UPDATE product.images SET body = 'y'`, nil},
		"delete an image": {`DELETE FROM product.images`, nil},
		"back-date images": {`INSERT INTO product.images (name, media_type, body, created_at)
			VALUES ('x', 'image/png', 'x', now())`, nil},

		"note an addition": {`INSERT INTO product.additions (person_id, key, draft, product_id)
			VALUES (1, 'k', sha256('x'), 1)`, []string{product}},
		"read additions":     {`SELECT product_id FROM product.additions`, []string{product}},
		"change an addition": {`UPDATE product.additions SET product_id = 2`, nil},
		"forget additions":   {`DELETE FROM product.additions`, nil},

		"read votes":     {`SELECT person_id FROM product.votes`, []string{product, recommendation}},
		"vote":           {`INSERT INTO product.votes (person_id, product_id) VALUES (2, 1)`, []string{product}},
		"take vote back": {`DELETE FROM product.votes WHERE person_id = 1`, []string{product}},
		"change a vote":  {`UPDATE product.votes SET person_id = 3`, nil},
		"upsert a vote": {`INSERT INTO product.votes (person_id, product_id)
			VALUES (1, 1) ON CONFLICT (person_id, product_id) DO UPDATE SET person_id = 9`, nil},
		"truncate votes":  {`TRUNCATE product.votes`, nil},
		"disable counter": {`ALTER TABLE product.votes DISABLE TRIGGER ALL`, nil},
		"skip triggers":   {`SET session_replication_role = replica`, nil},
		"call counter":    {`SELECT product.count_votes()`, nil},
		"borrow counter": {`CREATE TEMPORARY TABLE mine (product_id bigint);
			CREATE TRIGGER mine AFTER INSERT ON mine REFERENCING NEW TABLE AS changed
			FOR EACH STATEMENT EXECUTE FUNCTION product.count_votes()`, nil},

		"read the generation": {`SELECT generation, fenced_until FROM product.cache_generation`, []string{product}},
		"fence the cache": {`UPDATE product.cache_generation SET generation = generation + 1, fenced_until = now()`,
			[]string{product}},
		"add a generation":    {`INSERT INTO product.cache_generation DEFAULT VALUES`, nil},
		"delete a generation": {`DELETE FROM product.cache_generation`, nil},

		"search":           {`SELECT s.product_id FROM product.search AS s, product.words`, []string{product}},
		"split into words": {`SELECT product.words_of('a')`, []string{product, recommendation}},
		"falsify search":   {`UPDATE product.search SET words = ''`, nil},
		"invent words":     {`INSERT INTO product.words VALUES ('a', 1)`, nil},
		"call indexer":     {`SELECT product.count_words()`, nil},

		"read days": {`SELECT day, product_id FROM recommendation.daily`, []string{recommendation}},
		"choose a day": {`INSERT INTO recommendation.daily (day, product_id)
			VALUES ('2026-02-01', 1)`, []string{recommendation}},
		"change a day": {`UPDATE recommendation.daily SET product_id = 2`, nil},
		"delete a day": {`DELETE FROM recommendation.daily`, nil},

		"read versions of auth":           {`SELECT version_id FROM auth.goose_db_version`, nil},
		"read versions of product":        {`SELECT version_id FROM product.goose_db_version`, nil},
		"read versions of recommendation": {`SELECT version_id FROM recommendation.goose_db_version`, nil},
		"create in public":                {`CREATE TABLE public.t (id int)`, nil},
		"create in auth":                  {`CREATE TABLE auth.t (id int)`, nil},
		"create in product":               {`CREATE TABLE product.t (id int)`, nil},
		"create in recommendation":        {`CREATE TABLE recommendation.t (id int)`, nil},
		"create schema":                   {`CREATE SCHEMA s`, nil},
		"raise its own rights":            {`ALTER ROLE CURRENT_USER CREATEDB`, nil},
		"create role":                     {`CREATE ROLE r`, nil},
		"become product":                  {`SET ROLE craftista_product`, []string{product}},
		"read password hashes":            {`SELECT rolpassword FROM pg_authid`, nil},
		"run a program":                   {`COPY product.votes TO PROGRAM 'true'`, nil},
	} {
		for role, url := range urls {
			t.Run(name+" as "+role, func(t *testing.T) {
				t.Parallel()
				want := pqerror.Code("42501") // insufficient_privilege
				if slices.Contains(test.allowed, role) {
					want = ""
				}
				if got := attempt(t, url, test.statement); got != want {
					t.Errorf("got SQLSTATE %q, want %q", got, want)
				}
			})
		}
	}
}

func TestEvenTheSuperuserCannotFalsifyCounts(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	fill(t, d)
	for name, test := range map[string]struct{ statement, constraint string }{
		"set the count": {`UPDATE product.products SET votes = votes + 1`, "products_votes_are_counted"},
		"create with votes": {`INSERT INTO product.products (name, description, image_url, difficulty, folds, paper, votes)
			VALUES ('a', 'b', 'c', 'easy', 1, 'd', 100)`, "products_votes_start_at_zero"},
		"change a vote":     {`UPDATE product.votes SET product_id = 2`, "votes_never_change"},
		"truncate votes":    {`TRUNCATE product.votes`, "votes_never_change"},
		"truncate products": {`TRUNCATE product.products CASCADE`, "votes_never_change"},
		"vote twice":        {`INSERT INTO product.votes (person_id, product_id) VALUES (1, 1)`, "votes_pkey"},
		"vote for nothing":  {`INSERT INTO product.votes (person_id, product_id) VALUES (1, 404)`, "votes_product_id_fkey"},
		"fold too often":    {`UPDATE product.products SET folds = 1001`, "products_folds_range"},
		"edit backwards":    {`UPDATE product.products SET version = 0`, "products_version_positive"},
		"misname an image": {`INSERT INTO product.images (name, media_type, body)
			VALUES ('x.png', 'image/png', 'x')`, "images_name_is_content"},
		"call a PNG an SVG": {`INSERT INTO product.images (name, media_type, body)
			VALUES (encode(sha256('x'), 'hex') || '.png', 'image/svg+xml', 'x')`, "images_name_is_content"},
		"upload a page": {`INSERT INTO product.images (name, media_type, body)
			VALUES (encode(sha256('x'), 'hex') || '.svg', 'text/html', 'x')`, "images_media_type_known"},
		"upload a film": {`INSERT INTO product.images (name, media_type, body)
			SELECT encode(sha256(b), 'hex') || '.png', 'image/png', b
			FROM convert_to(repeat('x', 1048577), 'UTF8') AS b`, "images_body_length"},
		"add twice": {`INSERT INTO product.additions (person_id, key, draft, product_id)
			SELECT 1, 'k', sha256('x'), 1 FROM generate_series(1, 2)`, "additions_pkey"},
		"name a key badly": {`INSERT INTO product.additions (person_id, key, draft, product_id)
			VALUES (1, 'k"', sha256('x'), 1)`, "additions_key_form"},
		"keep a draft": {`INSERT INTO product.additions (person_id, key, draft, product_id)
			VALUES (1, 'k', 'x', 1)`, "additions_draft_is_a_hash"},
		"nobody adds": {`INSERT INTO product.additions (person_id, key, draft, product_id)
			VALUES (0, 'k', sha256('x'), 1)`, "additions_person_id_positive"},
		"nobody votes": {`INSERT INTO product.votes (person_id, product_id) VALUES (0, 1)`, "votes_person_id_positive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, d.AdminURL).ExecContext(t.Context(), test.statement)
			refusal, ok := errors.AsType[*pq.Error](err)
			if !ok || refusal.Constraint != test.constraint {
				t.Errorf("got error %v, want a violation of %s", err, test.constraint)
			}
		})
	}
}

func TestUsersAreUniqueRegardlessOfCaseAndChecked(t *testing.T) {
	t.Parallel()
	d := pgtest.New(t)
	fill(t, d)
	for name, test := range map[string]struct{ username, email, role, constraint string }{
		"username in other case":   {"CRANE", "other@example.com", "user", "users_username_key"},
		"e-mail in other case":     {"other", "Crane@Example.com", "user", "users_email_key"},
		"username too short":       {"ab", "other@example.com", "user", "users_username_format"},
		"username with a space":    {"a b c", "other@example.com", "user", "users_username_format"},
		"username with a line end": {"abc\n", "other@example.com", "user", "users_username_format"},
		"unknown role":             {"other", "other@example.com", "root", "users_role_known"},
		"e-mail too short":         {"other", "@", "user", "users_email_length"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const insert = `INSERT INTO auth.users (username, email, password_hash, role) VALUES ($1, $2, 'x', $3)`
			_, err := open(t, d.AuthURL).ExecContext(t.Context(), insert, test.username, test.email, test.role)
			refusal, ok := errors.AsType[*pq.Error](err)
			if !ok || refusal.Constraint != test.constraint {
				t.Errorf("got error %v, want a violation of %s", err, test.constraint)
			}
		})
	}
}

// fill puts one person, two products, one vote and one day into the database.
func fill(t *testing.T, d *pgtest.Database) {
	t.Helper()
	mustExec(t, open(t, d.AdminURL), `
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
		VALUES ('2026-01-01', 1)`)
}

// attempt runs the statement, undoes it, and returns the SQLSTATE of its refusal, empty when it was let through.
func attempt(t *testing.T, url, statement string) pqerror.Code {
	t.Helper()
	tx, err := open(t, url).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = tx.Rollback() }()
	_, err = tx.ExecContext(t.Context(), statement)
	refusal, ok := errors.AsType[*pq.Error](err)
	if err != nil && !ok {
		t.Fatal(err)
	}
	if !ok {
		return ""
	}
	return refusal.Code
}

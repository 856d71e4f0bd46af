-- +goose Up
-- +goose StatementBegin

-- Names compare by code point ("C"), which every PostgreSQL build on every machine does alike: the order of a page, a
-- cursor made by one replica and the index on disk never change with the operating system's locale data.
CREATE TABLE product.products (
    id          bigint           GENERATED ALWAYS AS IDENTITY,
    name        text COLLATE "C" NOT NULL,
    description text             NOT NULL,
    image_url   text             NOT NULL,
    votes       bigint           NOT NULL DEFAULT 0,
    difficulty  text             NOT NULL,
    folds       integer          NOT NULL,
    paper       text             NOT NULL,
    created_at  timestamptz      NOT NULL DEFAULT now(),
    updated_at  timestamptz      NOT NULL DEFAULT now(),
    version     integer          NOT NULL DEFAULT 1, -- counts edits: of two editors of the same one, the first wins
    deleted_at  timestamptz, -- the row stays: votes and past days keep what they refer to, and readers leave it out
    CONSTRAINT products_pkey PRIMARY KEY (id),
    CONSTRAINT products_name_length CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT products_description_length CHECK (length(description) BETWEEN 1 AND 2000),
    CONSTRAINT products_image_url_length CHECK (length(image_url) BETWEEN 1 AND 500),
    CONSTRAINT products_votes_not_negative CHECK (votes >= 0),
    CONSTRAINT products_difficulty_known CHECK (difficulty IN ('easy', 'intermediate', 'advanced')),
    CONSTRAINT products_folds_range CHECK (folds BETWEEN 1 AND 1000),
    CONSTRAINT products_paper_length CHECK (length(paper) BETWEEN 1 AND 100),
    CONSTRAINT products_version_positive CHECK (version > 0)
);

-- One index per order of the gallery; id breaks ties, so that keyset paging neither skips nor repeats a row. They hold
-- what the gallery shows, so that deleted products cost nothing.
CREATE INDEX products_id_idx ON product.products (id) WHERE deleted_at IS NULL;
CREATE INDEX products_votes_idx ON product.products (votes DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX products_name_idx ON product.products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_created_at_idx ON product.products (created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- A person is an auth.users id; services own their schemas, so no foreign key crosses them.
CREATE TABLE product.votes (
    person_id  bigint      NOT NULL,
    product_id bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT votes_pkey PRIMARY KEY (person_id, product_id),
    CONSTRAINT votes_person_id_positive CHECK (person_id > 0),
    CONSTRAINT votes_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

-- Finds the voters of a product, and its votes when it is deleted; recommendation reads voters in order from it alone.
CREATE INDEX votes_product_id_idx ON product.votes (product_id, person_id);
-- Lists what a person voted for, newest first, from the index alone.
CREATE INDEX votes_person_id_idx ON product.votes (person_id, created_at DESC, product_id DESC);

-- count_votes keeps products.votes equal to the rows of votes, whoever changes them and however many at once.
-- The rows of products are locked in id order, so that bulk statements in opposing orders wait instead of deadlocking,
-- and with NO KEY, because each voter's foreign key check already holds a KEY SHARE lock that FOR UPDATE would fight.
CREATE FUNCTION product.count_votes()
    RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    PERFORM p.id
       FROM product.products AS p
      WHERE p.id IN (SELECT c.product_id FROM changed AS c)
      ORDER BY p.id
        FOR NO KEY UPDATE;
    UPDATE product.products AS p
       SET votes = p.votes + step * c.votes
      FROM (SELECT product_id, count(*) AS votes FROM changed GROUP BY product_id) AS c
     WHERE p.id = c.product_id;
    RETURN NULL;
END
$$;

-- refuse ends a statement that would make the count and the rows disagree; it binds superusers too.
CREATE FUNCTION product.refuse()
    RETURNS trigger LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE integrity_constraint_violation
    USING MESSAGE = format('%s on %I.%I is refused: votes are only inserted and deleted',
                           TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
          SCHEMA = TG_TABLE_SCHEMA,
          TABLE = TG_TABLE_NAME,
          CONSTRAINT = TG_NAME;
END
$$;

-- Whoever may execute count_votes could hang it on a table of their own and count what they like.
REVOKE EXECUTE ON FUNCTION product.count_votes(), product.refuse() FROM PUBLIC;

CREATE TRIGGER votes_count_added
    AFTER INSERT ON product.votes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_votes();

CREATE TRIGGER votes_count_removed
    AFTER DELETE ON product.votes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_votes();

CREATE TRIGGER votes_never_change
    BEFORE UPDATE OR TRUNCATE ON product.votes
    FOR EACH STATEMENT EXECUTE FUNCTION product.refuse();

CREATE TRIGGER products_votes_start_at_zero
    BEFORE INSERT ON product.products
    FOR EACH ROW
    WHEN (NEW.votes <> 0)
    EXECUTE FUNCTION product.refuse();

-- Depth 0 is a statement somebody sent; count_votes itself writes from depth 1.
CREATE TRIGGER products_votes_are_counted
    BEFORE UPDATE OF votes ON product.products
    FOR EACH ROW
    WHEN (NEW.votes <> OLD.votes AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION product.refuse();

-- words_of are the words of a text, each once: runs of letters and digits without case and accents, cut at 40 letters.
-- It asks no locale, so that every machine finds the same ones; that is why letters without an ASCII base whose case
-- matters are spelt out. Text and query both go through it.
CREATE FUNCTION product.words_of(text text)
    RETURNS text[]
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT coalesce(array_agg(DISTINCT left(w.word, 40) COLLATE "C"), '{}')
      FROM regexp_split_to_table(
               translate(
                   lower(regexp_replace(normalize(text, NFKD), '[\u0300-\u036f]', '', 'g') COLLATE "C"),
                   'ÆØÐÞŁĐŒıΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣςΤΥΦΧΨΩАБВГДЕЖЗИКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЂЄЅІЈЉЊЋЏҐ',
                   'æoðþldœiαβγδεζηθικλμνξοπρσστυφχψωабвгдежзиклмнопрстуфхцчшщъыьэюяђєѕіјљњћџґ'),
               '[^a-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u1fff\u2c00-\u2dff\u3040-\ud7ff\uf900-\ufdff\U00010000-\U0010ffff]+') AS w (word)
     WHERE w.word <> ''
$$;

-- The words of each product that is not deleted, in a table of their own: a vote writes a new version of its product, and
-- would write all indexes of it. The index has no list of pending rows, which each search would read.
CREATE TABLE product.search (
    product_id bigint   NOT NULL,
    words      tsvector NOT NULL,
    CONSTRAINT search_pkey PRIMARY KEY (product_id),
    CONSTRAINT search_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

CREATE INDEX search_words_idx ON product.search USING gin (words) WITH (fastupdate = off);

-- How many products have each word: to estimate what a query finds, and to correct typing errors.
CREATE TABLE product.words (
    word     text COLLATE "C" NOT NULL,
    products bigint           NOT NULL,
    CONSTRAINT words_pkey PRIMARY KEY (word)
);

-- levenshtein_less_equal is for the query of typing errors; it comes with every PostgreSQL that has its contrib modules.
CREATE EXTENSION fuzzystrmatch WITH SCHEMA product;

-- index_added and index_edited keep search equal to the names and descriptions of products, whoever writes them, and
-- leave out the deleted ones.
CREATE FUNCTION product.index_added()
    RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO product.search (product_id, words)
    SELECT p.id, array_to_tsvector(product.words_of(p.name || ' ' || p.description))
      FROM added AS p;
    RETURN NULL;
END
$$;

CREATE FUNCTION product.index_edited()
    RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    DELETE FROM product.search
     WHERE product_id = NEW.id;
    INSERT INTO product.search (product_id, words)
    SELECT NEW.id, array_to_tsvector(product.words_of(NEW.name || ' ' || NEW.description))
     WHERE NEW.deleted_at IS NULL;
    RETURN NULL;
END
$$;

-- count_words keeps words equal to search. Writers wait for each other: nearly all of them have words in common, and would
-- deadlock where they come to them in different orders. Readers do not wait.
CREATE FUNCTION product.count_words()
    RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
BEGIN
    LOCK TABLE product.words IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO product.words AS known (word, products)
    SELECT w.word, step * count(*)
      FROM changed AS c,
           unnest(tsvector_to_array(c.words)) AS w (word)
     GROUP BY w.word
        ON CONFLICT (word) DO UPDATE
       SET products = known.products + EXCLUDED.products;
    IF TG_OP = 'DELETE' THEN
        DELETE FROM product.words AS known
         USING changed AS c,
               unnest(tsvector_to_array(c.words)) AS w (word)
         WHERE known.word = w.word COLLATE "C"
           AND known.products = 0;
    END IF;
    RETURN NULL;
END
$$;

REVOKE EXECUTE ON FUNCTION product.index_added(), product.index_edited(), product.count_words() FROM PUBLIC;

CREATE TRIGGER products_index_added
    AFTER INSERT ON product.products REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION product.index_added();

-- For each row, since only such a trigger can tell an edit from a vote and cost votes nothing.
CREATE TRIGGER products_index_edited
    AFTER UPDATE OF name, description, deleted_at ON product.products
    FOR EACH ROW
    WHEN ((NEW.name, NEW.description, NEW.deleted_at) IS DISTINCT FROM (OLD.name, OLD.description, OLD.deleted_at))
    EXECUTE FUNCTION product.index_edited();

CREATE TRIGGER search_words_added
    AFTER INSERT ON product.search REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_words();

CREATE TRIGGER search_words_removed
    AFTER DELETE ON product.search REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_words();

-- Uploaded pictures, as they were rewritten and as readers get them. The name is a hash of the content, so the same upload
-- is stored once and a URL never shows anything else. Nothing deletes them: caches and past days may still name them.
CREATE TABLE product.images (
    name       text COLLATE "C" NOT NULL,
    media_type text             NOT NULL,
    body       bytea            NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT images_pkey PRIMARY KEY (name),
    CONSTRAINT images_media_type_known CHECK (media_type IN ('image/png', 'image/svg+xml')),
    CONSTRAINT images_name_is_content CHECK (
        name = encode(sha256(body), 'hex') || CASE media_type WHEN 'image/png' THEN '.png' ELSE '.svg' END
    ),
    CONSTRAINT images_body_length CHECK (length(body) BETWEEN 1 AND 1048576)
);

-- The idempotency keys of those who added products: a request that comes again, after a double click or a lost response,
-- is answered with the same product. draft is a hash of the request, from which another one under the same key differs.
CREATE TABLE product.additions (
    person_id  bigint           NOT NULL,
    key        text COLLATE "C" NOT NULL,
    draft      bytea            NOT NULL,
    product_id bigint           NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT additions_pkey PRIMARY KEY (person_id, key),
    CONSTRAINT additions_person_id_positive CHECK (person_id > 0),
    CONSTRAINT additions_key_form CHECK (key ~ '^[A-Za-z0-9._-]{1,100}$'),
    CONSTRAINT additions_draft_is_a_hash CHECK (length(draft) = 32),
    CONSTRAINT additions_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

-- The state of the cache that all replicas share, in one row. A replica that could not delete a product from Redis begins a
-- new generation, which makes all entries of older ones invalid, and a fence: until it ends, no entry is used.
CREATE TABLE product.cache_generation (
    singleton    boolean     NOT NULL DEFAULT true,
    generation   bigint      NOT NULL DEFAULT 1,
    fenced_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT cache_generation_pkey PRIMARY KEY (singleton),
    CONSTRAINT cache_generation_one_row CHECK (singleton)
);

INSERT INTO product.cache_generation
DEFAULT VALUES;

GRANT USAGE ON SCHEMA product TO craftista_product, craftista_recommendation;
GRANT SELECT,
      INSERT (name, description, image_url, difficulty, folds, paper, created_at, updated_at),
      UPDATE (name, description, image_url, difficulty, folds, paper, updated_at, version, deleted_at)
   ON product.products
   TO craftista_product;
GRANT SELECT, INSERT, DELETE ON product.votes TO craftista_product;
GRANT SELECT ON product.search, product.words TO craftista_product;
GRANT SELECT, INSERT (name, media_type, body) ON product.images TO craftista_product;
GRANT SELECT, INSERT (person_id, key, draft, product_id) ON product.additions TO craftista_product;
GRANT SELECT, UPDATE (generation, fenced_until) ON product.cache_generation TO craftista_product;

-- The one sanctioned crossing: recommendation reads what product publishes.
GRANT SELECT ON product.products, product.votes TO craftista_recommendation;

-- +goose StatementEnd

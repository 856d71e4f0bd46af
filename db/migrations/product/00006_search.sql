-- +goose Up

-- Search lives beside the pieces, not in them: a vote writes its piece anew, and would write every index of it too.

-- words_of are the words of a text, each once: runs of letters and digits without case and accents, cut at 40 letters.
-- It asks no locale, so that every machine finds the same ones; that is why letters without an ASCII base whose case
-- matters are spelt out. Text and query both go through it.
-- +goose StatementBegin
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
-- +goose StatementEnd

-- The words of each product that is not deleted. A GIN index without a list of pending rows: each search would read them.
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

-- index_added and index_edited keep search equal to the names and descriptions of pieces, whoever writes them, and
-- leave out the deleted ones.
-- +goose StatementBegin
CREATE FUNCTION product.index_added()
    RETURNS trigger
    LANGUAGE plpgsql
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
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION product.index_edited()
    RETURNS trigger
    LANGUAGE plpgsql
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
-- +goose StatementEnd

-- count_words keeps words equal to search. Writers wait for each other: nearly all of them have words in common, and would
-- deadlock where they come to them in different orders. Readers do not wait.
-- +goose StatementBegin
CREATE FUNCTION product.count_words()
    RETURNS trigger
    LANGUAGE plpgsql
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
-- +goose StatementEnd

REVOKE EXECUTE
    ON FUNCTION product.index_added(), product.index_edited(), product.count_words()
  FROM PUBLIC;

CREATE TRIGGER products_index_added
    AFTER INSERT ON product.products
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.index_added();

-- For each row, since only such a trigger can tell an edit from a vote and cost votes nothing.
CREATE TRIGGER products_index_edited
    AFTER UPDATE OF name, description, deleted_at ON product.products
    FOR EACH ROW
    WHEN ((NEW.name, NEW.description, NEW.deleted_at) IS DISTINCT FROM (OLD.name, OLD.description, OLD.deleted_at))
    EXECUTE FUNCTION product.index_edited();

CREATE TRIGGER search_words_added
    AFTER INSERT ON product.search
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.count_words();

CREATE TRIGGER search_words_removed
    AFTER DELETE ON product.search
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.count_words();

GRANT SELECT
   ON product.search, product.words
   TO craftista_product;

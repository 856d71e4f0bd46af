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

-- misspellings_of is the word itself and what is left of it without any one of its first seven letters, and from six
-- letters on without any two. A word that another becomes by one or two edits shares such a remainder with it (symmetric
-- deletion, W. Garbe, SymSpell): equality finds candidates, which the asker then measures.
-- +goose StatementBegin
CREATE FUNCTION product.misspellings_of(word text)
    RETURNS SETOF text
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE ROWS 30
AS $$
    SELECT left(word, 7) COLLATE "C"
     UNION
    SELECT overlay(left(word, 7) PLACING '' FROM a FOR 1) COLLATE "C"
      FROM unnest('{1,2,3,4,5,6,7}'::integer[]) AS a
     WHERE length(word) >= 3
       AND a <= length(word)
     UNION
    SELECT overlay(overlay(left(word, 7) PLACING '' FROM b FOR 1) PLACING '' FROM a FOR 1) COLLATE "C"
      FROM unnest('{1,2,3,4,5,6}'::integer[]) AS a,
           unnest('{2,3,4,5,6,7}'::integer[]) AS b
     WHERE length(word) >= 6
       AND a < b
       AND b <= length(word)
$$;
-- +goose StatementEnd

-- The words of each piece, to see whether it has them.
CREATE TABLE product.search (
    product_id bigint   NOT NULL,
    words      tsvector NOT NULL,
    CONSTRAINT search_pkey PRIMARY KEY (product_id),
    CONSTRAINT search_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

-- bits_of has a bit for each of the pieces of a chunk, set for these.
CREATE FUNCTION product.bits_of(offsets smallint[])
    RETURNS bit(8192)
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
    SELECT bit_or(set_bit(repeat('0', 8192)::bit(8192), o, 1))
      FROM unnest(offsets) AS o
$$;

-- The pieces of each word, to find them: the piece of id chunk * 8192 + offset for each of offsets, in no order. A GIN
-- index would find rows instead of ids, and to look at 5,000 rows takes thirty times as long as to read 5,000 ids.
-- Where a word is common, 16 times or more, bits say the same, to see at once whether a piece has it.
CREATE TABLE product.postings (
    word    text COLLATE "C" NOT NULL,
    chunk   bigint           NOT NULL,
    offsets smallint[]       NOT NULL,
    bits    bit(8192),
    CONSTRAINT postings_pkey PRIMARY KEY (word, chunk)
);

-- The longest offsets go to a place of their own, uncompressed, and keep out of the way of the bits.
ALTER TABLE product.postings
    ALTER COLUMN offsets SET STORAGE EXTERNAL,
    ALTER COLUMN bits SET STORAGE MAIN;

-- The dictionary: each word that pieces have, and how many have it.
CREATE TABLE product.words (
    word   text COLLATE "C" NOT NULL,
    pieces bigint           NOT NULL,
    CONSTRAINT words_pkey PRIMARY KEY (word),
    CONSTRAINT words_pieces_not_negative CHECK (pieces >= 0)
);

CREATE TABLE product.misspellings (
    misspelling text COLLATE "C" NOT NULL,
    word        text COLLATE "C" NOT NULL,
    CONSTRAINT misspellings_pkey PRIMARY KEY (misspelling, word),
    CONSTRAINT misspellings_word_fkey FOREIGN KEY (word) REFERENCES product.words (word) ON DELETE CASCADE
);

CREATE INDEX misspellings_word_idx ON product.misspellings (word);

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

-- index_words keeps postings and dictionary equal to search. Writers take turns: nearly all of them have words in
-- common, and would deadlock where they come to them in different orders. Readers are not held up.
-- +goose StatementBegin
CREATE FUNCTION product.index_words()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE product.words IN SHARE ROW EXCLUSIVE MODE;
    IF TG_OP = 'INSERT' THEN
        INSERT INTO product.postings AS known (word, chunk, offsets, bits)
        SELECT w.word, w.chunk, w.offsets, CASE WHEN cardinality(w.offsets) >= 16 THEN product.bits_of(w.offsets) END
          FROM (SELECT w.word, c.product_id >> 13 AS chunk, array_agg((c.product_id & 8191)::smallint) AS offsets
                  FROM changed AS c,
                       unnest(tsvector_to_array(c.words)) AS w (word)
                 GROUP BY w.word, c.product_id >> 13) AS w
            ON CONFLICT (word, chunk) DO UPDATE
           SET offsets = known.offsets || EXCLUDED.offsets,
               bits = CASE
                      WHEN known.bits IS NOT NULL THEN known.bits | product.bits_of(EXCLUDED.offsets)
                      WHEN cardinality(known.offsets || EXCLUDED.offsets) >= 16 THEN product.bits_of(known.offsets || EXCLUDED.offsets)
                      END;
        INSERT INTO product.words AS known (word, pieces)
        SELECT w.word, count(*)
          FROM changed AS c,
               unnest(tsvector_to_array(c.words)) AS w (word)
         GROUP BY w.word
            ON CONFLICT (word) DO UPDATE
           SET pieces = known.pieces + EXCLUDED.pieces;
    ELSE
        UPDATE product.postings AS known
           SET offsets = ARRAY (SELECT o FROM unnest(known.offsets) AS o WHERE o <> ALL (gone.offsets)),
               bits = known.bits & ~product.bits_of(gone.offsets)
          FROM (SELECT w.word, c.product_id >> 13 AS chunk, array_agg((c.product_id & 8191)::smallint) AS offsets
                  FROM changed AS c,
                       unnest(tsvector_to_array(c.words)) AS w (word)
                 GROUP BY w.word, c.product_id >> 13) AS gone
         WHERE known.word = gone.word COLLATE "C"
           AND known.chunk = gone.chunk;
        DELETE FROM product.postings AS known
         USING changed AS c,
               unnest(tsvector_to_array(c.words)) AS w (word)
         WHERE known.word = w.word COLLATE "C"
           AND known.chunk = c.product_id >> 13
           AND known.offsets = '{}';
        UPDATE product.words AS known
           SET pieces = known.pieces - gone.pieces
          FROM (SELECT w.word, count(*) AS pieces
                  FROM changed AS c,
                       unnest(tsvector_to_array(c.words)) AS w (word)
                 GROUP BY w.word) AS gone
         WHERE known.word = gone.word COLLATE "C";
        DELETE FROM product.words AS known
         USING changed AS c,
               unnest(tsvector_to_array(c.words)) AS w (word)
         WHERE known.word = w.word COLLATE "C"
           AND known.pieces = 0;
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION product.misspell()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO product.misspellings (misspelling, word)
    SELECT m.misspelling, w.word
      FROM added AS w,
           product.misspellings_of(w.word) AS m (misspelling)
     WHERE length(w.word) >= 3;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE
    ON FUNCTION product.index_added(), product.index_edited(), product.index_words(), product.misspell()
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
    EXECUTE FUNCTION product.index_words();

CREATE TRIGGER search_words_removed
    AFTER DELETE ON product.search
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.index_words();

CREATE TRIGGER words_misspell
    AFTER INSERT ON product.words
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.misspell();

INSERT INTO product.search (product_id, words)
SELECT p.id, array_to_tsvector(product.words_of(p.name || ' ' || p.description))
  FROM product.products AS p
 WHERE p.deleted_at IS NULL;

GRANT SELECT
   ON product.search, product.postings, product.words, product.misspellings
   TO craftista_product;

-- +goose Up

-- Search finds the pieces of a word by id, and then has to put them into the order of the page. To look up a thousand
-- keys to keep two dozen takes most of its time; places say beforehand which of them come first, about.

-- The place of a piece in an order is one of sixteen, and whoever comes before it has no later one: place_by_votes
-- halves the votes from each to the next, place_by_name takes two first letters together, place_by_age two years. Fewer
-- than eight votes are all last, so that seldom a vote changes a place, and waits for others that do. In plpgsql, since a function in SQL is planned anew for
-- each query with a constant.
-- +goose StatementBegin
CREATE FUNCTION product.place_by_votes(votes bigint)
    RETURNS bit(4)
    LANGUAGE plpgsql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN (15 - width_bucket(votes, '{8,16,32,64,128,256,512,1024,2048,4096,8192,16384,32768,65536,131072}'::bigint[]))::bit(4);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION product.place_by_name(name text)
    RETURNS bit(4)
    LANGUAGE plpgsql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN least(greatest((ascii(name) - 62) / 2, 0), 15)::bit(4);
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION product.place_by_age(created_at timestamptz)
    RETURNS bit(4)
    LANGUAGE plpgsql
    IMMUTABLE STRICT PARALLEL SAFE
AS $$
BEGIN
    RETURN (15 - least(greatest((extract(year FROM created_at AT TIME ZONE 'UTC')::integer - 2020) / 2, 0), 15))::bit(4);
END
$$;
-- +goose StatementEnd

-- places_of are the places of a piece in all orders.
CREATE FUNCTION product.places_of(votes bigint, name text, created_at timestamptz)
    RETURNS TABLE (sort text, place bit(4))
    LANGUAGE sql
    IMMUTABLE STRICT PARALLEL SAFE ROWS 3
AS $$
    VALUES ('-created_at', product.place_by_age(created_at)),
           ('-votes', product.place_by_votes(votes)),
           ('name', product.place_by_name(name))
$$;

-- A row is for half a chunk of postings: the piece of id half * 4096 + n has the n-th four bits. Those of no piece mean
-- nothing. A row stays in its page, where each place of it is read without the others, and with it up to two older
-- versions: votes that change places write it again and again, and a page without room for a second one would be left to
-- vacuum each time.
CREATE TABLE product.places (
    sort   text COLLATE "C" NOT NULL,
    half   bigint           NOT NULL,
    places bit(16384)       NOT NULL,
    CONSTRAINT places_pkey PRIMARY KEY (sort, half)
) WITH (fillfactor = 50);

ALTER TABLE product.places
    ALTER COLUMN places SET STORAGE PLAIN;

-- put_places notes the places of these pieces in one order.
CREATE FUNCTION product.put_places(sort text, ids bigint[], places bit[])
    RETURNS void
    LANGUAGE sql
    SET search_path = pg_catalog, pg_temp
AS $$
    INSERT INTO product.places AS known (sort, half, places)
    SELECT $1, n.id >> 12, bit_or(n.place::bit(16384) >> (n.id & 4095)::integer * 4)
      FROM unnest($2, $3) AS n (id, place)
     GROUP BY n.id >> 12
     ORDER BY n.id >> 12
        ON CONFLICT ON CONSTRAINT places_pkey DO UPDATE
       SET places = EXCLUDED.places
                  | (known.places & ~(SELECT bit_or(B'1111'::bit(16384) >> (n.id & 4095)::integer * 4)
                                        FROM unnest($2) AS n (id)
                                       WHERE n.id >> 12 = known.half))
$$;

-- place_added, place_changed and count_votes keep places equal to the pieces, whoever writes them. Deleted ones keep
-- theirs: no word finds them. All come to the rows of places after those of the search, and in the same order, so that
-- nobody deadlocks.
-- +goose StatementBegin
CREATE FUNCTION product.place_added()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM product.put_places(n.sort, n.ids, n.places)
       FROM (SELECT o.sort, array_agg(p.id) AS ids, array_agg(o.place) AS places
               FROM added AS p,
                    product.places_of(p.votes, p.name, p.created_at) AS o
              GROUP BY o.sort
              ORDER BY o.sort) AS n;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION product.place_changed()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM product.put_places(n.sort, ARRAY[NEW.id], ARRAY[n.place])
       FROM (SELECT sort, place FROM product.places_of(NEW.votes, NEW.name, NEW.created_at)
             EXCEPT
             SELECT sort, place FROM product.places_of(OLD.votes, OLD.name, OLD.created_at)
              ORDER BY sort) AS n;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- count_votes is as before, and notes the places of all pieces that it counted at once: piece by piece, as the update
-- comes to them, bulk statements would come to the chunks in opposing orders.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION product.count_votes()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    step CONSTANT integer := CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END;
    ids bigint[];
    places bit(4)[];
BEGIN
    PERFORM p.id
       FROM product.products AS p
      WHERE p.id IN (SELECT c.product_id FROM changed AS c)
      ORDER BY p.id
        FOR NO KEY UPDATE;
    WITH counted AS (
        UPDATE product.products AS p
           SET votes = p.votes + step * c.votes,
               votes_xid = pg_current_xact_id()
          FROM (SELECT product_id, count(*) AS votes FROM changed GROUP BY product_id) AS c
         WHERE p.id = c.product_id
        RETURNING p.id, product.place_by_votes(p.votes) AS place, product.place_by_votes(p.votes - step * c.votes) AS before
    )
    SELECT array_agg(c.id), array_agg(c.place)
      INTO ids, places
      FROM counted AS c
     WHERE c.place <> c.before;
    IF ids IS NOT NULL THEN
        PERFORM product.put_places('-votes', ids, places);
    END IF;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

REVOKE EXECUTE
    ON FUNCTION product.put_places(text, bigint[], bit[]), product.place_added(), product.place_changed()
  FROM PUBLIC;

-- Of one table, triggers run in the order of their names: these after those of the search.
CREATE TRIGGER products_place_added
    AFTER INSERT ON product.products
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.place_added();

-- Depth 0 is a statement somebody sent, such as one that mends a count; count_votes notes what it counts itself.
CREATE TRIGGER products_place_changed
    AFTER UPDATE OF votes, name, created_at ON product.products
    FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND product.place_by_votes(NEW.votes) <> product.place_by_votes(OLD.votes)
          OR product.place_by_name(NEW.name) <> product.place_by_name(OLD.name)
          OR product.place_by_age(NEW.created_at) <> product.place_by_age(OLD.created_at))
    EXECUTE FUNCTION product.place_changed();

SELECT product.put_places(n.sort, n.ids, n.places)
  FROM (SELECT o.sort, array_agg(p.id) AS ids, array_agg(o.place) AS places
          FROM product.products AS p,
               product.places_of(p.votes, p.name, p.created_at) AS o
         GROUP BY o.sort, p.id >> 12
         ORDER BY o.sort, p.id >> 12) AS n;

GRANT SELECT
   ON product.places
   TO craftista_product;

-- +goose Up

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
    CONSTRAINT products_pkey PRIMARY KEY (id),
    CONSTRAINT products_name_length CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT products_description_length CHECK (length(description) BETWEEN 1 AND 2000),
    CONSTRAINT products_image_url_length CHECK (length(image_url) BETWEEN 1 AND 500),
    CONSTRAINT products_votes_not_negative CHECK (votes >= 0),
    CONSTRAINT products_difficulty_known CHECK (difficulty IN ('easy', 'intermediate', 'advanced')),
    CONSTRAINT products_folds_positive CHECK (folds > 0),
    CONSTRAINT products_paper_length CHECK (length(paper) BETWEEN 1 AND 100)
);

-- One index per order of the gallery; id breaks ties, so that keyset paging neither skips nor repeats a row.
CREATE INDEX products_votes_idx ON product.products (votes DESC, id DESC);
CREATE INDEX products_name_idx ON product.products (name, id);
CREATE INDEX products_created_at_idx ON product.products (created_at DESC, id DESC);

-- A person is an auth.users id; services own their schemas, so no foreign key crosses them.
CREATE TABLE product.votes (
    person_id  bigint      NOT NULL,
    product_id bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT votes_pkey PRIMARY KEY (person_id, product_id),
    CONSTRAINT votes_person_id_positive CHECK (person_id > 0),
    CONSTRAINT votes_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

-- Finds the voters of a piece, and its votes when it is deleted; recommendation reads voters in order from it alone.
CREATE INDEX votes_product_id_idx ON product.votes (product_id, person_id);

-- count_votes keeps products.votes equal to the rows of votes, whoever changes them and however many at once.
-- The rows of products are locked in id order, so that bulk statements in opposing orders wait instead of deadlocking,
-- and with NO KEY, because each voter's foreign key check already holds a KEY SHARE lock that FOR UPDATE would fight.
-- +goose StatementBegin
CREATE FUNCTION product.count_votes()
    RETURNS trigger
    LANGUAGE plpgsql
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
-- +goose StatementEnd

-- refuse ends a statement that would make the count and the rows disagree; it binds superusers too.
-- +goose StatementBegin
CREATE FUNCTION product.refuse()
    RETURNS trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    RAISE integrity_constraint_violation
    USING MESSAGE = format('%s on %I.%I is refused: votes are only inserted and deleted', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME),
          SCHEMA = TG_TABLE_SCHEMA,
          TABLE = TG_TABLE_NAME,
          CONSTRAINT = TG_NAME;
END
$$;
-- +goose StatementEnd

-- await_votes lets the votes in flight finish before a piece is deleted, and holds new ones back. Otherwise somebody
-- taking a vote back (row of votes, then its product) would deadlock with the deletion (product, then its votes).
-- +goose StatementBegin
CREATE FUNCTION product.await_votes()
    RETURNS trigger
    LANGUAGE plpgsql
    SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    LOCK TABLE product.votes IN SHARE ROW EXCLUSIVE MODE;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

-- Whoever may execute count_votes could hang it on a table of their own and count what they like.
REVOKE EXECUTE
    ON FUNCTION product.count_votes(), product.refuse(), product.await_votes()
  FROM PUBLIC;

CREATE TRIGGER votes_count_added
    AFTER INSERT ON product.votes
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.count_votes();

CREATE TRIGGER votes_count_removed
    AFTER DELETE ON product.votes
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.count_votes();

CREATE TRIGGER votes_never_change
    BEFORE UPDATE OR TRUNCATE ON product.votes
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.refuse();

CREATE TRIGGER products_votes_start_at_zero
    BEFORE INSERT ON product.products
    FOR EACH ROW
    WHEN (NEW.votes <> 0)
    EXECUTE FUNCTION product.refuse();

CREATE TRIGGER products_delete_awaits_votes
    BEFORE DELETE ON product.products
    FOR EACH STATEMENT
    EXECUTE FUNCTION product.await_votes();

-- Depth 0 is a statement somebody sent; count_votes itself writes from depth 1.
CREATE TRIGGER products_votes_are_counted
    BEFORE UPDATE OF votes ON product.products
    FOR EACH ROW
    WHEN (NEW.votes <> OLD.votes AND pg_trigger_depth() = 0)
    EXECUTE FUNCTION product.refuse();

GRANT USAGE
   ON SCHEMA product
   TO craftista_product;
GRANT SELECT,
      INSERT (name, description, image_url, difficulty, folds, paper, created_at, updated_at),
      UPDATE (name, description, image_url, difficulty, folds, paper, updated_at),
      DELETE
   ON product.products
   TO craftista_product;
GRANT SELECT, INSERT, DELETE
   ON product.votes
   TO craftista_product;

-- The one sanctioned crossing: recommendation reads what product publishes.
GRANT USAGE
   ON SCHEMA product
   TO craftista_recommendation;
GRANT SELECT
   ON product.products, product.votes
   TO craftista_recommendation;

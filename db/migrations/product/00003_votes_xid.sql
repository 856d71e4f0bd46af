-- +goose Up

-- votes_xid is the transaction that changed votes last; 1, which is no transaction's, if none did since this column came.
-- The changes after a snapshot are the rows whose transactions it does not see, in whatever order they committed and
-- whichever replica asks: the live stream is read so. Of a dump that another server restores, the numbers mean nothing
-- there, and the stream takes those yet to come for 1.
ALTER TABLE product.products
  ADD COLUMN votes_xid xid8 NOT NULL DEFAULT '1';

CREATE INDEX products_votes_xid_idx ON product.products (votes_xid, id);

-- count_votes is as before, and notes its transaction.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION product.count_votes()
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
       SET votes = p.votes + step * c.votes,
           votes_xid = pg_current_xact_id()
      FROM (SELECT product_id, count(*) AS votes FROM changed GROUP BY product_id) AS c
     WHERE p.id = c.product_id;
    RETURN NULL;
END
$$;
-- +goose StatementEnd

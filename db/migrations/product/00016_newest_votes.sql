-- +goose NO TRANSACTION
-- +goose Up
-- The newest 50 products that each person voted for, so that recommendation reads one row of each person.
ALTER TABLE product.voters ADD IF NOT EXISTS newest bigint[] NOT NULL DEFAULT '{}';

-- Votes wait for this, reading does not: no vote may be in the trigger's old version while the lists are made. In the new
-- one, the second statement sees all votes that were committed before the first one had locked the person's row.
-- +goose StatementBegin
BEGIN;
LOCK TABLE product.votes IN SHARE ROW EXCLUSIVE MODE;
CREATE OR REPLACE FUNCTION product.count_voters() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN
    INSERT INTO product.voters AS v (person_id, votes)
    SELECT person_id, CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * count(*) FROM changed GROUP BY 1 ORDER BY 1
        ON CONFLICT (person_id) DO UPDATE SET votes = v.votes + EXCLUDED.votes;
    UPDATE product.voters AS v SET newest = ARRAY (
        SELECT product_id FROM product.votes WHERE person_id = v.person_id
        ORDER BY created_at DESC, product_id DESC LIMIT 50)
    WHERE person_id IN (SELECT person_id FROM changed);
    DELETE FROM product.voters WHERE person_id IN (SELECT person_id FROM changed) AND votes = 0;
    RETURN NULL; -- nothing is left of who takes every vote back
END $$;
UPDATE product.voters AS v SET newest = ARRAY (
    SELECT product_id FROM product.votes WHERE person_id = v.person_id
    ORDER BY created_at DESC, product_id DESC LIMIT 50);
COMMIT;
-- +goose StatementEnd

-- +goose Up
-- +goose StatementBegin
-- The newest 50 products that each person voted for: what many people like is a row of each. The second statement of
-- count_voters sees all that was committed before the first one had the rows to itself.
ALTER TABLE product.voters ADD newest bigint[] NOT NULL DEFAULT '{}';
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
    RETURN NULL;
END $$;
UPDATE product.voters AS v SET newest = ARRAY (
    SELECT product_id FROM product.votes WHERE person_id = v.person_id
    ORDER BY created_at DESC, product_id DESC LIMIT 50);
-- +goose StatementEnd

-- +goose Up
-- +goose StatementBegin
-- How many votes each person has, kept equal to the rows of votes. Its triggers run after those of count_votes, by name, and
-- lock in the order of persons, so that statements wait instead of deadlocking.
CREATE TABLE product.voters (person_id bigint CONSTRAINT voters_pkey PRIMARY KEY, votes bigint NOT NULL);
CREATE FUNCTION product.count_voters() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$ BEGIN
    INSERT INTO product.voters AS v (person_id, votes)
    SELECT person_id, CASE TG_OP WHEN 'INSERT' THEN 1 ELSE -1 END * count(*) FROM changed GROUP BY 1 ORDER BY 1
        ON CONFLICT (person_id) DO UPDATE SET votes = v.votes + EXCLUDED.votes;
    IF TG_OP = 'DELETE' THEN -- nothing is left of who takes every vote back
        DELETE FROM product.voters AS v USING changed WHERE v.person_id = changed.person_id AND v.votes = 0;
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION product.count_voters() FROM PUBLIC;
CREATE TRIGGER votes_voters_added AFTER INSERT ON product.votes REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_voters();
CREATE TRIGGER votes_voters_removed AFTER DELETE ON product.votes REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION product.count_voters();
INSERT INTO product.voters SELECT person_id, count(*) FROM product.votes GROUP BY person_id;
GRANT SELECT ON product.voters TO craftista_recommendation;
-- +goose StatementEnd

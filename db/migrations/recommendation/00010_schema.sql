-- +goose Up

-- The primary key makes one product per day true on every replica: the first INSERT wins, the others read it.
-- product_id is a product.products id; services own their schemas, so no foreign key crosses them, and a past day
-- keeps its record after the product is deleted.
CREATE TABLE recommendation.daily (
    day        date        NOT NULL,
    product_id bigint      NOT NULL,
    chosen_at  timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT daily_pkey PRIMARY KEY (day),
    CONSTRAINT daily_product_id_positive CHECK (product_id > 0)
);

-- Counts the days of each product and finds its latest: none is chosen again until all have been.
CREATE INDEX daily_product_id_idx ON recommendation.daily (product_id, day);

GRANT USAGE ON SCHEMA recommendation TO craftista_recommendation;
GRANT SELECT, INSERT ON recommendation.daily TO craftista_recommendation;

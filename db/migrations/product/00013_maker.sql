-- +goose Up
-- +goose StatementBegin

-- Who designed the piece, and where its folding is taught. Neither is known of every piece: then it is ''.
ALTER TABLE product.products
    ADD COLUMN maker            text NOT NULL DEFAULT '',
    ADD COLUMN instructions_url text NOT NULL DEFAULT '',
    ADD CONSTRAINT products_maker_length CHECK (length(maker) <= 100),
    ADD CONSTRAINT products_instructions_url_form
        CHECK (instructions_url = '' OR instructions_url ~ '^https://[!-~]+$' AND length(instructions_url) <= 500);

-- The orders of the gallery among the pieces of one difficulty.
CREATE INDEX products_difficulty_id_idx ON product.products (difficulty, id) WHERE deleted_at IS NULL;
CREATE INDEX products_difficulty_votes_idx ON product.products (difficulty, votes DESC, id DESC)
    WHERE deleted_at IS NULL;
CREATE INDEX products_difficulty_name_idx ON product.products (difficulty, name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_difficulty_created_at_idx ON product.products (difficulty, created_at DESC, id DESC)
    WHERE deleted_at IS NULL;

GRANT INSERT (maker, instructions_url), UPDATE (maker, instructions_url) ON product.products TO craftista_product;

-- +goose StatementEnd

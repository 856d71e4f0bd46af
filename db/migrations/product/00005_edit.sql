-- +goose Up

-- version counts the edits of a piece, so that of two editors who read the same one only the first is heard.
-- A deleted piece stays as a row: its votes and the days it was shown keep what they refer to, and readers leave it out.
ALTER TABLE product.products
    ADD COLUMN version integer NOT NULL DEFAULT 1,
    ADD COLUMN deleted_at timestamptz,
    ADD CONSTRAINT products_version_positive CHECK (version > 0),
    DROP CONSTRAINT products_folds_positive,
    ADD CONSTRAINT products_folds_range CHECK (folds BETWEEN 1 AND 1000);

-- The orders of the gallery hold what the gallery shows, so that walking past deleted pieces costs nothing.
DROP INDEX product.products_votes_idx, product.products_name_idx, product.products_created_at_idx;
CREATE INDEX products_id_idx ON product.products (id) WHERE deleted_at IS NULL;
CREATE INDEX products_votes_idx ON product.products (votes DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX products_name_idx ON product.products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_created_at_idx ON product.products (created_at DESC, id DESC) WHERE deleted_at IS NULL;

-- No service deletes rows of products any more, so none needs to wait for votes in flight.
REVOKE DELETE
    ON product.products
  FROM craftista_product;
DROP TRIGGER products_delete_awaits_votes ON product.products;
DROP FUNCTION product.await_votes();

-- Uploaded pictures, as they were rewritten and as readers get them. The name is the content, so the same upload is
-- kept once and a URL never shows anything else. Nothing deletes them: caches and past days may still name them.
CREATE TABLE product.images (
    name       text COLLATE "C" NOT NULL,
    media_type text             NOT NULL,
    body       bytea            NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT images_pkey PRIMARY KEY (name),
    CONSTRAINT images_media_type_known CHECK (media_type IN ('image/png', 'image/svg+xml')),
    CONSTRAINT images_name_is_content CHECK (
        name = encode(sha256(body), 'hex') || CASE media_type WHEN 'image/png' THEN '.png' ELSE '.svg' END
    ),
    CONSTRAINT images_body_length CHECK (length(body) BETWEEN 1 AND 1048576)
);

GRANT UPDATE (version, deleted_at)
   ON product.products
   TO craftista_product;
GRANT SELECT,
      INSERT (name, media_type, body)
   ON product.images
   TO craftista_product;

-- +goose Up

-- What made a piece, if whoever added it sent a key: whoever sends it again, after a double click or a lost answer, is
-- told of that piece. draft is a hash of what they said about it, which another draft under the same key has not.
CREATE TABLE product.additions (
    person_id  bigint           NOT NULL,
    key        text COLLATE "C" NOT NULL,
    draft      bytea            NOT NULL,
    product_id bigint           NOT NULL,
    created_at timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT additions_pkey PRIMARY KEY (person_id, key),
    CONSTRAINT additions_person_id_positive CHECK (person_id > 0),
    CONSTRAINT additions_key_form CHECK (key ~ '^[A-Za-z0-9._-]{1,100}$'),
    CONSTRAINT additions_draft_is_a_hash CHECK (length(draft) = 32),
    CONSTRAINT additions_product_id_fkey FOREIGN KEY (product_id) REFERENCES product.products (id) ON DELETE CASCADE
);

GRANT SELECT,
      INSERT (person_id, key, draft, product_id)
   ON product.additions
   TO craftista_product;

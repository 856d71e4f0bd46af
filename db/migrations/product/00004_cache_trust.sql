-- +goose Up

-- One row that every replica of product reads several times a second: which cached pieces may be believed. Whoever could
-- not remove a piece from Redis begins a new epoch, which voids all that was cached before it, and a veto, so that
-- nothing is believed while further removals may go unheard.
CREATE TABLE product.cache_trust (
    singleton    boolean     NOT NULL DEFAULT true,
    epoch        bigint      NOT NULL DEFAULT 1,
    vetoed_until timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT cache_trust_pkey PRIMARY KEY (singleton),
    CONSTRAINT cache_trust_one_row CHECK (singleton)
);

INSERT INTO product.cache_trust
DEFAULT VALUES;

GRANT SELECT,
      UPDATE (epoch, vetoed_until)
   ON product.cache_trust
   TO craftista_product;

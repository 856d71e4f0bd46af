-- +goose Up
-- Each signs tokens from its time until that of the next. Sealed by a secret that the database does not have.
CREATE TABLE auth.signing_keys (
    signs_from timestamptz NOT NULL,
    sealed     bytea       NOT NULL,
    CONSTRAINT signing_keys_pkey PRIMARY KEY (signs_from)
);

GRANT SELECT, INSERT, DELETE ON auth.signing_keys TO craftista_auth;

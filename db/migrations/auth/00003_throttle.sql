-- +goose Up

-- What is counted against guessing. A key is a keyed hash that names neither
-- account nor address.
CREATE TABLE auth.throttle (
    key       bytea       NOT NULL,
    failures  integer     NOT NULL,
    last_at   timestamptz NOT NULL,
    forget_at timestamptz NOT NULL, -- the row means nothing from then on
    CONSTRAINT throttle_pkey PRIMARY KEY (key),
    CONSTRAINT throttle_key_is_sha256 CHECK (length(key) = 32),
    CONSTRAINT throttle_failures_not_negative CHECK (failures >= 0)
);

CREATE INDEX throttle_forget_at ON auth.throttle (forget_at);

GRANT SELECT, INSERT, UPDATE, DELETE
   ON auth.throttle
   TO craftista_auth;

-- +goose Up

-- The OAuth clients (RFC 6749 section 2). One without a place to come back to
-- speaks for itself and for nobody else.
CREATE TABLE auth.clients (
    id                        text        NOT NULL,
    name                      text        NOT NULL,
    secret_hash               bytea, -- NULL is a public client
    redirect_uris             text[]      NOT NULL,
    post_logout_redirect_uris text[]      NOT NULL,
    scopes                    text[]      NOT NULL,
    created_at                timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT clients_pkey PRIMARY KEY (id),
    CONSTRAINT clients_id_is_no_number CHECK (id ~ '^client-[a-z2-7]+$'), -- no client is taken for a person
    CONSTRAINT clients_name_length CHECK (length(name) BETWEEN 1 AND 100),
    CONSTRAINT clients_secret_hash_is_sha256 CHECK (length(secret_hash) = 32),
    CONSTRAINT clients_speaks_for_somebody CHECK (redirect_uris <> '{}' OR secret_hash IS NOT NULL)
);

-- The authorization codes. One that was used stays as long as what it gave.
CREATE TABLE auth.codes (
    hash           bytea       NOT NULL,
    client_id      text        NOT NULL,
    user_id        bigint      NOT NULL,
    redirect_uri   text        NOT NULL,
    scope          text        NOT NULL,
    nonce          text        NOT NULL,
    code_challenge text        NOT NULL,
    auth_time      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    used_at        timestamptz,
    family_id      bigint,
    CONSTRAINT codes_pkey PRIMARY KEY (hash),
    CONSTRAINT codes_client_id_fkey FOREIGN KEY (client_id) REFERENCES auth.clients (id) ON DELETE CASCADE,
    CONSTRAINT codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT codes_family_id_fkey FOREIGN KEY (family_id) REFERENCES auth.refresh_families (id) ON DELETE CASCADE,
    CONSTRAINT codes_hash_is_sha256 CHECK (length(hash) = 32),
    CONSTRAINT codes_used_give_a_family CHECK ((used_at IS NULL) = (family_id IS NULL))
);

CREATE INDEX codes_family_id ON auth.codes (family_id);
CREATE INDEX codes_user_id ON auth.codes (user_id);
CREATE INDEX codes_client_id ON auth.codes (client_id);
CREATE INDEX codes_unused_expires_at ON auth.codes (expires_at) WHERE used_at IS NULL;

GRANT SELECT, INSERT
   ON auth.clients
   TO craftista_auth;
GRANT SELECT, INSERT, UPDATE (used_at, family_id), DELETE
   ON auth.codes
   TO craftista_auth;

-- +goose Up

-- A disabled person cannot sign in or refresh; NULL is everybody else.
ALTER TABLE auth.users
    ADD COLUMN disabled_at timestamptz;

-- A family is one sign-in: all the refresh tokens that came one from another.
CREATE TABLE auth.refresh_families (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    user_id    bigint      NOT NULL,
    client_id  text        NOT NULL DEFAULT '', -- '' is the site itself
    scope      text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT refresh_families_pkey PRIMARY KEY (id),
    CONSTRAINT refresh_families_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT refresh_families_end_after_start CHECK (expires_at > created_at)
);

CREATE INDEX refresh_families_user_id ON auth.refresh_families (user_id);
-- What has ended is found by it, and deleted as new ones come.
CREATE INDEX refresh_families_expires_at ON auth.refresh_families (expires_at);

CREATE TABLE auth.refresh_tokens (
    hash       bytea       NOT NULL,
    family_id  bigint      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at    timestamptz, -- the first time
    CONSTRAINT refresh_tokens_pkey PRIMARY KEY (hash),
    CONSTRAINT refresh_tokens_family_id_fkey FOREIGN KEY (family_id) REFERENCES auth.refresh_families (id) ON DELETE CASCADE,
    CONSTRAINT refresh_tokens_hash_is_sha256 CHECK (length(hash) = 32)
);

CREATE INDEX refresh_tokens_family_id ON auth.refresh_tokens (family_id);

-- Nothing but the two marks ever changes, and tokens go only with their family.
GRANT SELECT, INSERT, UPDATE (revoked_at), DELETE
   ON auth.refresh_families
   TO craftista_auth;
GRANT SELECT, INSERT, UPDATE (used_at)
   ON auth.refresh_tokens
   TO craftista_auth;

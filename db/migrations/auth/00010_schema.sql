-- +goose Up

-- Nobody but the administrator creates anything outside the services' schemas.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE TABLE auth.users (
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    username      text        NOT NULL,
    email         text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL DEFAULT 'user',
    created_at    timestamptz NOT NULL DEFAULT now(),
    disabled_at   timestamptz, -- whoever is disabled can neither sign in nor refresh
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_username_format CHECK (username ~ '^[A-Za-z0-9_.-]{3,32}$'),
    CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 254),
    CONSTRAINT users_password_hash_present CHECK (password_hash <> ''),
    CONSTRAINT users_role_known CHECK (role IN ('user', 'curator', 'admin'))
);

-- Unique regardless of case: Crane and crane are one person.
CREATE UNIQUE INDEX users_username_key ON auth.users (lower(username));
CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email));

GRANT USAGE ON SCHEMA auth TO craftista_auth;
GRANT SELECT, INSERT, UPDATE ON auth.users TO craftista_auth;

-- A family is one sign-in: all the refresh tokens that came one from another.
CREATE TABLE auth.refresh_families (
    id         bigint      GENERATED ALWAYS AS IDENTITY,
    user_id    bigint      NOT NULL,
    client_id  text        NOT NULL DEFAULT '', -- '' is the site itself
    scope      text        NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    -- What a person recognises a sign-in by, such as "Firefox on Linux". The browser's own words, which would tell people
    -- apart, are not stored, and no address is.
    device     text        NOT NULL DEFAULT '',
    CONSTRAINT refresh_families_pkey PRIMARY KEY (id),
    CONSTRAINT refresh_families_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT refresh_families_end_after_start CHECK (expires_at > created_at),
    CONSTRAINT refresh_families_device_length CHECK (length(device) <= 60)
);

CREATE INDEX refresh_families_user_id ON auth.refresh_families (user_id);
-- Finds the expired ones, which are deleted as new ones come.
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

-- Finds the latest token of a family, which tells when the family was last used.
CREATE INDEX refresh_tokens_family_id_created_at ON auth.refresh_tokens (family_id, created_at);

-- Nothing but the two marks ever changes, and tokens go only with their family.
GRANT SELECT, INSERT, UPDATE (revoked_at), DELETE ON auth.refresh_families TO craftista_auth;
GRANT SELECT, INSERT, UPDATE (used_at) ON auth.refresh_tokens TO craftista_auth;

-- Failures to sign in, which are counted against guessing. A key is a keyed hash that names neither account nor address.
CREATE TABLE auth.throttle (
    key       bytea       NOT NULL,
    failures  integer     NOT NULL,
    last_at   timestamptz NOT NULL,
    forget_at timestamptz NOT NULL, -- the row expires then
    CONSTRAINT throttle_pkey PRIMARY KEY (key),
    CONSTRAINT throttle_key_is_sha256 CHECK (length(key) = 32),
    CONSTRAINT throttle_failures_not_negative CHECK (failures >= 0)
);

CREATE INDEX throttle_forget_at ON auth.throttle (forget_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON auth.throttle TO craftista_auth;

-- The OAuth clients (RFC 6749 section 2). One without a redirect URI acts for itself and for nobody else.
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

-- The authorization codes. A used one stays as long as the family that was issued for it.
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

GRANT SELECT, INSERT ON auth.clients TO craftista_auth;
GRANT SELECT, INSERT, UPDATE (used_at, family_id), DELETE ON auth.codes TO craftista_auth;

-- +goose Up
ALTER TABLE auth.users
    ADD COLUMN email_verified_at timestamptz, -- NULL while nobody has proved that the address is theirs
    ADD COLUMN deleted_at timestamptz, -- by the person; the row, without address and password, reserves the name for a while
    ADD COLUMN forget_at timestamptz, -- when product is asked to forget a deleted person; NULL if that is done
    ADD CONSTRAINT users_deleted_are_disabled CHECK (deleted_at IS NULL OR disabled_at IS NOT NULL);
CREATE INDEX users_deleted_at ON auth.users (deleted_at) WHERE deleted_at IS NOT NULL;

-- What a link in a mail stands for. A person has one for each purpose; a new one replaces the older.
CREATE TABLE auth.mail_tokens (
    user_id    bigint      NOT NULL,
    purpose    text        NOT NULL,
    hash       bytea       NOT NULL,
    email      text        NOT NULL, -- where it was sent; it proves that address only
    expires_at timestamptz NOT NULL,
    CONSTRAINT mail_tokens_pkey PRIMARY KEY (user_id, purpose),
    CONSTRAINT mail_tokens_hash_key UNIQUE (hash),
    CONSTRAINT mail_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT mail_tokens_purpose_known CHECK (purpose IN ('reset', 'verify', 'change')),
    CONSTRAINT mail_tokens_hash_is_sha256 CHECK (length(hash) = 32)
);

GRANT DELETE ON auth.users TO craftista_auth;
GRANT SELECT, INSERT, UPDATE (hash, email, expires_at), DELETE ON auth.mail_tokens TO craftista_auth;

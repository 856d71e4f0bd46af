-- +goose Up

-- What a person knows a sign-in by, such as "Firefox on Linux". The browser's own
-- words, which would tell people apart, are not kept, and no address is.
ALTER TABLE auth.refresh_families
    ADD COLUMN device text NOT NULL DEFAULT '',
    ADD CONSTRAINT refresh_families_device_length CHECK (length(device) <= 60);

-- The latest token of a family is found by it, which tells when it was last used.
CREATE INDEX refresh_tokens_family_id_created_at ON auth.refresh_tokens (family_id, created_at);
DROP INDEX auth.refresh_tokens_family_id;

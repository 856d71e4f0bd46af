-- +goose Up
-- A code is good while the sign-in that approved it and the password (its hash's SHA-256) are: without them it is not.
ALTER TABLE auth.codes ADD COLUMN approved_by bigint, ADD COLUMN password bytea;
CREATE INDEX refresh_families_revoked_at ON auth.refresh_families (revoked_at) WHERE revoked_at IS NOT NULL;

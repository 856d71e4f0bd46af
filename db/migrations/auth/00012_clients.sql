-- +goose Up
ALTER TABLE auth.clients ADD COLUMN disabled_at timestamptz; -- whatever is disabled gets nothing
GRANT UPDATE (disabled_at, secret_hash), DELETE ON auth.clients TO craftista_auth;

-- +goose Up

REVOKE CREATE ON SCHEMA public FROM PUBLIC;

CREATE TABLE auth.users (
    id            bigint      GENERATED ALWAYS AS IDENTITY,
    username      text        NOT NULL,
    email         text        NOT NULL,
    password_hash text        NOT NULL,
    role          text        NOT NULL DEFAULT 'user',
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_username_format CHECK (username ~ '^[A-Za-z0-9_.-]{3,32}$'),
    CONSTRAINT users_email_length CHECK (length(email) BETWEEN 3 AND 254),
    CONSTRAINT users_password_hash_present CHECK (password_hash <> ''),
    CONSTRAINT users_role_known CHECK (role IN ('user', 'curator', 'admin'))
);

-- Unique regardless of case: Crane and crane are one person.
CREATE UNIQUE INDEX users_username_key ON auth.users (lower(username));
CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email));

GRANT USAGE
   ON SCHEMA auth
   TO craftista_auth;
GRANT SELECT, INSERT, UPDATE
   ON auth.users
   TO craftista_auth;

package postgres

import (
	"context"

	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/lib/pq"
)

// AddClient stores a new client.
func (s *Store) AddClient(ctx context.Context, c oidc.Client) error {
	const query = `
		INSERT INTO auth.clients (id, name, secret_hash, redirect_uris, post_logout_redirect_uris, scopes)
		VALUES ($1, $2, $3, $4, $5, $6)`
	list := func(texts []string) any { return pq.Array(append([]string{}, texts...)) } // nil is NULL to pq
	return exec(ctx, s.db, "insert client", query,
		c.ID, c.Name, c.SecretHash, list(c.RedirectURIs), list(c.LogoutURIs), list(c.Scopes))
}

// Client implements oidc.Clients.
func (s *Store) Client(ctx context.Context, id string) (oidc.Client, error) {
	const query = `
		SELECT id, name, secret_hash, redirect_uris, post_logout_redirect_uris, scopes
		  FROM auth.clients
		 WHERE id = $1`
	var c oidc.Client
	err := s.db.QueryRowContext(ctx, query, id).
		Scan(&c.ID, &c.Name, &c.SecretHash, pq.Array(&c.RedirectURIs), pq.Array(&c.LogoutURIs), pq.Array(&c.Scopes))
	return c, pg.RowError(err, "select client", fault.New(fault.NotFound, "no such client"))
}

// KnownOrigin implements oidc.Clients.
func (s *Store) KnownOrigin(ctx context.Context, origin string) (known bool, err error) {
	const query = `
		SELECT EXISTS (
		       SELECT
		         FROM auth.clients, unnest(redirect_uris) AS uri
		        WHERE lower(substring(uri FROM '^https?://[^/?]+')) = $1)`
	err = s.db.GetContext(ctx, &known, query, origin)
	return known, pg.RowError(err, "select origin", fault.New(fault.NotFound, "no such origin"))
}

package postgres

import (
	"context"
	"fmt"

	"craftista/auth/internal/oidc"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/jmoiron/sqlx"
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

const selectClients = `
		SELECT id, name, secret_hash, redirect_uris, post_logout_redirect_uris, scopes, disabled_at IS NOT NULL
		  FROM auth.clients`

func scanClient(row interface{ Scan(...any) error }) (c oidc.Client, err error) {
	err = row.Scan(&c.ID, &c.Name, &c.SecretHash,
		pq.Array(&c.RedirectURIs), pq.Array(&c.LogoutURIs), pq.Array(&c.Scopes), &c.Disabled)
	return c, err
}

// Client implements oidc.Clients.
func (s *Store) Client(ctx context.Context, id string) (oidc.Client, error) {
	const query = selectClients + `
		 WHERE id = $1
		   AND disabled_at IS NULL`
	c, err := scanClient(s.db.QueryRowContext(ctx, query, id))
	return c, pg.RowError(err, "select client", fault.New(fault.NotFound, "no such client"))
}

// Clients are all clients, also those that are disabled.
func (s *Store) Clients(ctx context.Context) (all []oidc.Client, err error) {
	const query = selectClients + `
		 ORDER BY name, id`
	rows, err := s.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("select clients: %w", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		c, err := scanClient(rows)
		if err != nil {
			return nil, fmt.Errorf("select clients: %w", err)
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

// KnownOrigin implements oidc.Clients. Redirect URIs by http are of this machine.
func (s *Store) KnownOrigin(ctx context.Context, origin, portless string) (known bool, err error) {
	const query = `
		SELECT EXISTS (
		       SELECT
		         FROM auth.clients, unnest(redirect_uris) AS uri, lower(substring(uri FROM '^https?://[^/?]+')) AS own
		        WHERE (own = $1 OR secret_hash IS NULL AND own LIKE 'http:%' AND regexp_replace(own, ':[0-9]+$', '') = $2)
		          AND disabled_at IS NULL)`
	if err := s.db.GetContext(ctx, &known, query, origin, portless); err != nil {
		return false, fmt.Errorf("select origin: %w", err)
	}
	return known, nil
}

// DisableClient refuses the client until EnableClient, and ends its sign-ins.
func (s *Store) DisableClient(ctx context.Context, id string) error {
	return s.endClient(ctx, `UPDATE auth.clients SET disabled_at = now() WHERE id = $1`, id)
}

// DeleteClient deletes the client and ends its sign-ins.
func (s *Store) DeleteClient(ctx context.Context, id string) error {
	return s.endClient(ctx, `DELETE FROM auth.clients WHERE id = $1`, id)
}

// EnableClient ends what DisableClient did, but for the sign-ins.
func (s *Store) EnableClient(ctx context.Context, id string) error {
	const query = `UPDATE auth.clients SET disabled_at = NULL WHERE id = $1`
	return changeClient(ctx, s.db, "no such client", query, id)
}

// ReplaceSecret sets the secret of a client that is not public.
func (s *Store) ReplaceSecret(ctx context.Context, id string, hash []byte) error {
	const query = `
		UPDATE auth.clients
		   SET secret_hash = $2
		 WHERE id = $1
		   AND secret_hash IS NOT NULL`
	return changeClient(ctx, s.db, "no such client with a secret", query, id, hash)
}

// endClient deletes the codes before it revokes families: one that is being
// exchanged is locked, and its family is revoked too.
func (s *Store) endClient(ctx context.Context, statement, id string) error {
	const revoke = `
		UPDATE auth.refresh_families
		   SET revoked_at = now()
		 WHERE client_id = $1
		   AND revoked_at IS NULL`
	return pg.InTx(ctx, s.db, func(tx *sqlx.Tx) error {
		if err := changeClient(ctx, tx, "no such client", statement, id); err != nil {
			return err
		}
		if err := exec(ctx, tx, "delete codes", `DELETE FROM auth.codes WHERE client_id = $1`, id); err != nil {
			return err
		}
		return exec(ctx, tx, "revoke refresh families of a client", revoke, id)
	})
}

// changeClient is a NotFound fault with that message if there is no such client.
func changeClient(ctx context.Context, db sqlx.ExecerContext, missing, statement string, args ...any) error {
	result, err := db.ExecContext(ctx, statement, args...)
	if err != nil {
		return fmt.Errorf("change client: %w", err)
	}
	if n, err := result.RowsAffected(); n == 0 {
		return fault.New(fault.NotFound, "%s", missing).Because(err)
	}
	return nil
}

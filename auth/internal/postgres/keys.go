package postgres

import (
	"context"
	"fmt"
	"time"

	"craftista/auth/internal/keys"
)

// SigningKeys implements keys.Store.
func (s *Store) SigningKeys(ctx context.Context) (all []keys.Sealed, err error) {
	const query = `
		SELECT signs_from AS from, sealed AS bytes
		  FROM auth.signing_keys
		 ORDER BY signs_from DESC`
	if err := s.db.SelectContext(ctx, &all, query); err != nil {
		return nil, fmt.Errorf("select signing keys: %w", err)
	}
	return all, nil
}

// AddSigningKey implements keys.Store.
func (s *Store) AddSigningKey(ctx context.Context, key keys.Sealed) (added bool, err error) {
	const query = `
		INSERT INTO auth.signing_keys (signs_from, sealed)
		VALUES ($1, $2)
		    ON CONFLICT DO NOTHING`
	result, err := s.db.ExecContext(ctx, query, key.From, key.Bytes)
	if err != nil {
		return false, fmt.Errorf("insert signing key: %w", err)
	}
	n, err := result.RowsAffected()
	return n == 1, err
}

// RemoveSigningKey implements keys.Store.
func (s *Store) RemoveSigningKey(ctx context.Context, from time.Time) error {
	return exec(ctx, s.db, "delete signing key", `DELETE FROM auth.signing_keys WHERE signs_from = $1`, from)
}

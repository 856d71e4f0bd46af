package postgres

import (
	"context"
	"fmt"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/pg"
)

// AddImage implements core.Store.
func (s *Store) AddImage(ctx context.Context, image core.Image) error {
	const query = `
		INSERT INTO product.images (name, media_type, body)
		VALUES ($1, $2, $3)
		ON CONFLICT (name) DO NOTHING`
	if _, err := s.db.ExecContext(ctx, query, image.Name, image.MediaType, image.Body); err != nil {
		return fmt.Errorf("insert image %s: %w", image.Name, err)
	}
	return nil
}

// Image implements core.Store.
func (s *Store) Image(ctx context.Context, name string) (core.Image, error) {
	const query = `
		SELECT media_type, body
		  FROM product.images
		 WHERE name = $1`
	image := core.Image{Name: name}
	err := s.db.QueryRowContext(ctx, query, name).Scan(&image.MediaType, &image.Body)
	return image, pg.RowError(err, "select image", fault.New(fault.NotFound, "no image has that name"))
}

// HasImage implements core.Store.
func (s *Store) HasImage(ctx context.Context, name string) (bool, error) {
	const query = `
		SELECT EXISTS (
			SELECT
			  FROM product.images
			 WHERE name = $1)`
	var there bool
	if err := s.db.GetContext(ctx, &there, query, name); err != nil {
		return false, fmt.Errorf("read whether image %s exists: %w", name, err)
	}
	return there, nil
}

package postgres

import (
	"context"
	"fmt"

	"craftista/product/internal/core"
	"craftista/shared/fault"
	"craftista/shared/pg"

	"github.com/lib/pq"
)

// AddImages implements core.Store.
func (s *Store) AddImages(ctx context.Context, images []core.Image) error {
	const query = `
		INSERT INTO product.images (name, media_type, body)
		SELECT added.name, added.media_type, added.body
		  FROM unnest($1::text[], $2::text[], $3::bytea[]) AS added (name, media_type, body)
		ON CONFLICT (name) DO NOTHING`
	var names, mediaTypes []string
	var bodies [][]byte
	for _, image := range images {
		names, mediaTypes, bodies = append(names, image.Name), append(mediaTypes, image.MediaType), append(bodies, image.Body)
	}
	if _, err := s.db.ExecContext(ctx, query, pq.Array(names), pq.Array(mediaTypes), pq.Array(bodies)); err != nil {
		return fmt.Errorf("insert image %s: %w", names[0], err)
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

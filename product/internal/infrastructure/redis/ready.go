package redis

import (
	"context"
	"fmt"
)

// Ready is nil while Redis answers within the cache's patience and is not given
// up.
func (c *Cache) Ready(ctx context.Context) error {
	if _, err := c.link.try(ctx, c.link.ping); err != nil {
		return fmt.Errorf("ping Redis: %w", err)
	}
	return nil
}

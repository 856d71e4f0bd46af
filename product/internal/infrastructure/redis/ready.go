package redis

import (
	"context"
	"fmt"
)

// Ready is nil while Redis answers within the cache's patience and is not given
// up.
func (c *Cache) Ready(ctx context.Context) error {
	if c.link.lost.Load() {
		return errLost
	}
	if err := c.link.ping(ctx); err != nil {
		return fmt.Errorf("ping Redis: %w", err)
	}
	return nil
}

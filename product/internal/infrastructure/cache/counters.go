package cache

import (
	"context"

	"craftista/product/internal/core"
	"craftista/shared/telemetry"

	"go.opentelemetry.io/otel/metric"
)

// counters tell what readers got of the cache, and how it heard of changes.
type counters struct {
	requests, invalidations metric.Int64Counter
	sources                 map[core.Source]metric.MeasurementOption // made once: a hit is cheap
}

func newCounters(t *telemetry.Telemetry) counters {
	return counters{
		requests:      t.Counter("craftista.cache.requests", "{request}", "Products that were looked up by id."),
		invalidations: t.Counter("craftista.cache.invalidations", "{invalidation}", "Changes, by how the cache heard."),
		sources: map[core.Source]metric.MeasurementOption{
			core.Hit: telemetry.Outcome("hit"), core.Miss: telemetry.Outcome("miss"), core.Bypass: telemetry.Outcome("bypass"),
		},
	}
}

// Fetch implements core.Cache.
func (c *Cache) Fetch(ctx context.Context, id int64, load core.Load) (core.Encoded, core.Source, error) {
	product, source, err := c.fetch(ctx, id, load)
	c.requests.Add(ctx, 1, c.sources[source])
	return product, source, err
}

// Invalidate implements core.Cache.
func (c *Cache) Invalidate(ctx context.Context, ids ...int64) error {
	outcome, err := c.invalidate(ctx, ids)
	c.invalidations.Add(ctx, 1, telemetry.Outcome(outcome))
	return err
}

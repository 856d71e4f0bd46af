package redis_test

import (
	"testing"

	"craftista/product/internal/redistest"
)

func TestReadyTellsWhetherRedisAnswers(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	c := open(t, server.URL())
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
	server.Kill()
	if c.Ready(t.Context()) == nil {
		t.Error("ready without Redis")
	}
	server.Restart()
	if err := c.Ready(t.Context()); err != nil {
		t.Error(err)
	}
}

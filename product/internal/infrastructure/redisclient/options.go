// Package redisclient has the options that all clients of Redis share.
package redisclient

import (
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const poolSize = 64

// Options are those of a client of the Redis at url ("redis://:password@host:6379/0").
// A command fails if it takes longer than timeout, from dialling to the answer, and is
// not tried again: Redis usually answers in less than a millisecond, and callers can
// do without it.
func Options(url string, timeout time.Duration) (*redis.Options, error) {
	o, err := redis.ParseURL(url)
	if err != nil { // its text may repeat the password
		return nil, errors.New("read Redis URL: it is not of the form redis://:password@host:port/0")
	}
	o.ContextTimeoutEnabled = true
	o.DialTimeout, o.PoolTimeout, o.ReadTimeout, o.WriteTimeout = timeout, timeout, timeout, timeout
	o.MaxRetries, o.DialerRetries = -1, 1 // -1 is no retry; of dialling, 1 is one try
	o.PoolSize = poolSize
	o.DisableIdentity = true // two commands fewer for each connection
	o.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	return o, nil
}

package token

import (
	"context"
	"net/http"
	"sync"
	"time"

	"craftista/shared/fault"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	keysMaxAge     = 10 * time.Minute // MaxAge of NewRemoteKeys
	keysRetry      = time.Second      // between tries while auth has never answered
	keysStaleRetry = 30 * time.Second // between tries while an older set is there
	keysTimeout    = 2 * time.Second  // for one fetch
	unknownKid     = time.Minute      // at most one fetch for unknown kids in this time
)

// RemoteKeys are the keys that auth publishes as a JWK Set (RFC 7517). They are
// fetched by the first request that needs them, as part of its trace, so
// services start in any order; kept for MaxAge, and longer while auth is away;
// and fetched anew for an unknown kid, at most once a minute. It is safe for
// concurrent use and starts no goroutine.
type RemoteKeys struct {
	// MaxAge is how long a withdrawn key is trusted at most; auth publishes a new
	// key for longer than that before it signs (KEY_ACTIVATION there). It is 10
	// minutes, and may be set before first use.
	MaxAge time.Duration

	url     string
	client  *http.Client
	unknown *rate.Limiter // of fetches for unknown kids

	mu    sync.Mutex // guards the rest; held during the first fetch
	set   keyfunc.Keyfunc
	due   time.Time // when to fetch again
	cause error     // of the last failed fetch
}

// NewRemoteKeys returns the keys published at url. Nothing is fetched yet.
func NewRemoteKeys(url string, client *http.Client) *RemoteKeys {
	return &RemoteKeys{
		MaxAge: keysMaxAge, url: url, client: client, unknown: rate.NewLimiter(rate.Every(unknownKid), 1),
	}
}

// KeyfuncCtx implements Keys.
func (k *RemoteKeys) KeyfuncCtx(ctx context.Context) jwt.Keyfunc {
	return func(t *jwt.Token) (any, error) {
		set, err := k.current(ctx)
		if err != nil {
			return nil, err
		}
		return set.KeyfuncCtx(ctx)(t)
	}
}

// Ready is nil once keys are there, for readiness checks.
func (k *RemoteKeys) Ready(ctx context.Context) error {
	_, err := k.current(ctx)
	return err
}

// current is the set. The first fetch is waited for by all; later ones are made
// by one request while the others go on with what is there.
func (k *RemoteKeys) current(ctx context.Context) (keyfunc.Keyfunc, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().Before(k.due) {
		return k.held()
	}
	if k.set == nil {
		k.store(k.load(ctx))
		return k.held()
	}
	k.due = time.Now().Add(keysStaleRetry)
	k.mu.Unlock()
	set, err := k.load(ctx)
	k.mu.Lock()
	k.store(set, err)
	return k.held()
}

// held is what is there; k.mu is held.
func (k *RemoteKeys) held() (keyfunc.Keyfunc, error) {
	if k.set == nil {
		return nil, (&fault.Error{
			Kind: fault.Unavailable, Message: "tokens cannot be checked now, auth is away", RetryAfter: keysRetry,
		}).Because(k.cause)
	}
	return k.set, nil
}

// store keeps what a fetch brought; after a failed one what was there stays.
// k.mu is held.
func (k *RemoteKeys) store(set keyfunc.Keyfunc, err error) {
	switch {
	case err == nil:
		k.set, k.due = set, time.Now().Add(k.MaxAge)
	case k.set == nil:
		k.cause, k.due = err, time.Now().Add(keysRetry)
	}
}

// load fetches the set. A caller that hangs up does not spoil it for the others.
func (k *RemoteKeys) load(ctx context.Context) (keyfunc.Keyfunc, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	published, err := jwkset.NewStorageFromHTTP(k.url, jwkset.HTTPClientStorageOptions{
		Client: k.client, Ctx: ctx, HTTPTimeout: keysTimeout,
	})
	if err != nil {
		return nil, err
	}
	limited, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{k.url: published},
		RateLimitWaitMax:  keysTimeout, // shorter than the interval: an early second try is refused at once
		RefreshUnknownKID: k.unknown,
	})
	if err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{Storage: limited, UseWhitelist: []jwkset.USE{jwkset.UseSig}})
}

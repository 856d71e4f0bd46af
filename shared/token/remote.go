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

// RemoteKeys are the keys that auth publishes as a JWK Set (RFC 7517). They are fetched by the first request that needs
// them, as part of its trace, so services start in any order; cached for MaxAge, and longer while auth is unavailable;
// and fetched again for an unknown kid, at most once a minute. It is safe for concurrent use and starts no goroutine.
//
// keyfunc's own refresh would serve with a third of the lines, but it tries once in a fixed interval only: auth would
// have to start first, or tokens could not be checked for up to that long.
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

// current is the set. All requests wait for the first fetch; later ones are made by one request while the others go on
// with the cached set.
func (k *RemoteKeys) current(ctx context.Context) (keyfunc.Keyfunc, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().Before(k.due) {
		return k.cached()
	}
	if k.set == nil {
		k.store(k.load(ctx))
		return k.cached()
	}
	k.due = time.Now().Add(keysStaleRetry)
	k.mu.Unlock()
	set, err := k.load(ctx)
	k.mu.Lock()
	k.store(set, err)
	return k.cached()
}

// cached is the set, or why there is none. The caller holds k.mu.
func (k *RemoteKeys) cached() (keyfunc.Keyfunc, error) {
	if k.set == nil {
		return nil, (&fault.Error{
			Kind: fault.Unavailable, Message: "tokens cannot be checked now, auth is away", RetryAfter: keysRetry,
		}).Because(k.cause)
	}
	return k.set, nil
}

// store stores the result of a fetch; after a failed one the older set stays. The caller holds k.mu.
func (k *RemoteKeys) store(set keyfunc.Keyfunc, err error) {
	switch {
	case err == nil:
		k.set, k.due = set, time.Now().Add(k.MaxAge)
	case k.set == nil:
		k.cause, k.due = err, time.Now().Add(keysRetry)
	}
}

// load fetches the set. It goes on when its request is cancelled, since others wait for it.
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

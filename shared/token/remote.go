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
	keysMaxAge  = 10 * time.Minute // a withdrawn key is trusted at most this long
	keysRetry   = time.Second      // between tries while auth has never answered
	keysTimeout = 2 * time.Second  // for one fetch
	unknownKid  = time.Minute      // at most one fetch for unknown kids in this time
)

// RemoteKeys are the keys that auth publishes as a JWK Set (RFC 7517). They are
// fetched by the first request that needs them, as part of its trace, so
// services start in any order; kept for 10 minutes, and longer while auth is
// away; and fetched anew for an unknown kid, at most once a minute. It is safe
// for concurrent use and starts no goroutine.
type RemoteKeys struct {
	url    string
	client *http.Client

	mu    sync.Mutex // guards the rest, and lets one request fetch for all
	set   keyfunc.Keyfunc
	due   time.Time // when to fetch again
	cause error     // of the last failed fetch
}

// NewRemoteKeys returns the keys published at url. Nothing is fetched yet.
func NewRemoteKeys(url string, client *http.Client) *RemoteKeys {
	return &RemoteKeys{url: url, client: client}
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

func (k *RemoteKeys) current(ctx context.Context) (keyfunc.Keyfunc, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().After(k.due) {
		k.fetch(ctx)
	}
	if k.set == nil {
		return nil, (&fault.Error{
			Kind: fault.Unavailable, Message: "tokens cannot be checked now, auth is away", RetryAfter: keysRetry,
		}).Because(k.cause)
	}
	return k.set, nil
}

// fetch replaces the set; where that fails it keeps what is there and says when
// to try again. A caller that hangs up does not spoil the fetch for the others.
func (k *RemoteKeys) fetch(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	set, err := k.load(ctx)
	if err != nil {
		k.cause, k.due = err, time.Now().Add(keysRetry)
		return
	}
	k.set, k.due = set, time.Now().Add(keysMaxAge)
}

func (k *RemoteKeys) load(ctx context.Context) (keyfunc.Keyfunc, error) {
	published, err := jwkset.NewStorageFromHTTP(k.url, jwkset.HTTPClientStorageOptions{
		Client: k.client, Ctx: ctx, HTTPTimeout: keysTimeout,
	})
	if err != nil {
		return nil, err
	}
	limited, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{k.url: published},
		RateLimitWaitMax:  keysTimeout, // shorter than the interval: an early second try is refused at once
		RefreshUnknownKID: rate.NewLimiter(rate.Every(unknownKid), 1),
	})
	if err != nil {
		return nil, err
	}
	return keyfunc.New(keyfunc.Options{Storage: limited, UseWhitelist: []jwkset.USE{jwkset.UseSig}})
}

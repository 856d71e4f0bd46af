package token

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"craftista/shared/fault"

	"github.com/MicahParks/jwkset"
	"github.com/MicahParks/keyfunc/v3"
	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/time/rate"
)

const (
	keysMaxAge  = 30 * time.Second // MaxAge of NewRemoteKeys, and between tries while an older set is there
	keysRetry   = time.Second      // between tries while auth has never answered
	keysTimeout = 2 * time.Second  // for one fetch
	unknownKid  = time.Minute      // at most one fetch for unknown kids in this time
)

// RemoteKeys are the keys that auth publishes as a JWK Set (RFC 7517), and the sign-ins that it has revoked. They are
// fetched by the first request that needs them, as part of its trace, so services start in any order; cached for
// MaxAge, and longer while auth is unavailable; and the keys are fetched again for an unknown kid, at most once a
// minute. It is safe for concurrent use and starts no goroutine.
//
// keyfunc's own refresh would serve with a third of the lines, but it tries once in a fixed interval only: auth would
// have to start first, or tokens could not be checked for up to that long.
type RemoteKeys struct {
	// MaxAge is after how long they are fetched again. A withdrawn key and a revoked
	// sign-in are trusted for a minute at most, if auth is available. It is 30 s, and
	// may be set before first use.
	MaxAge time.Duration

	url     string
	client  *http.Client
	unknown *rate.Limiter // of fetches for unknown kids

	mu    sync.Mutex // guards the rest; held during the first fetch
	set   *published
	due   time.Time // when to fetch again
	cause error     // of the last failed fetch
}

// published is what auth published at one time.
type published struct {
	keyfunc.Keyfunc
	revoked map[string]bool // sign-ins; nil if they could not be fetched
}

// NewRemoteKeys returns the keys published at url, beside which the
// revoked sign-ins are. Nothing is fetched yet.
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

// Revoked implements Source.
func (k *RemoteKeys) Revoked(ctx context.Context, session string) (bool, error) {
	set, err := k.current(ctx)
	return err == nil && set.revoked[session], err
}

// Ready is nil once keys are there, for readiness checks.
func (k *RemoteKeys) Ready(ctx context.Context) error {
	_, err := k.current(ctx)
	return err
}

// current is the set. All requests wait for the first fetch, and for one after a time without any, since the set may be
// of any age; others are made by one request while the rest go on with the cached set.
func (k *RemoteKeys) current(ctx context.Context) (*published, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Now().Before(k.due) {
		return k.cached()
	}
	if k.set == nil || time.Since(k.due) > keysMaxAge {
		k.store(k.load(ctx))
		return k.cached()
	}
	k.due = time.Now().Add(keysMaxAge)
	k.mu.Unlock()
	set, err := k.load(ctx)
	k.mu.Lock()
	k.store(set, err)
	return k.cached()
}

// cached is the set, or why there is none. The caller holds k.mu.
func (k *RemoteKeys) cached() (*published, error) {
	if k.set == nil {
		return nil, (&fault.Error{
			Kind: fault.Unavailable, RetryAfter: keysRetry,
			Message: "tokens cannot be checked right now, auth is not responding",
		}).Because(k.cause)
	}
	return k.set, nil
}

// store stores the result of a fetch; what could not be fetched stays as it was. The caller holds k.mu.
func (k *RemoteKeys) store(set *published, err error) {
	switch {
	case err == nil:
		if set.revoked == nil && k.set != nil {
			set.revoked = k.set.revoked
		}
		k.set, k.due = set, time.Now().Add(k.MaxAge)
	case k.set == nil:
		k.cause, k.due = err, time.Now().Add(keysRetry)
	default:
		k.due = time.Now().Add(keysMaxAge)
	}
}

// load fetches the set. It goes on when its request is cancelled, since others wait for it.
func (k *RemoteKeys) load(ctx context.Context) (*published, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysTimeout)
	defer cancel()
	storage, err := jwkset.NewStorageFromHTTP(k.url, jwkset.HTTPClientStorageOptions{
		Client: k.client, Ctx: ctx, HTTPTimeout: keysTimeout,
	})
	if err != nil {
		return nil, err
	}
	limited, err := jwkset.NewHTTPClient(jwkset.HTTPClientOptions{
		HTTPURLs:          map[string]jwkset.Storage{k.url: storage},
		PrioritizeHTTP:    true,        // no others are given
		RateLimitWaitMax:  keysTimeout, // shorter than the interval: an early second try is refused at once
		RefreshUnknownKID: k.unknown,
	})
	if err != nil {
		return nil, err
	}
	set, err := keyfunc.New(keyfunc.Options{Storage: limited, UseWhitelist: []jwkset.USE{jwkset.UseSig}})
	return &published{set, k.loadRevoked(ctx)}, err
}

// loadRevoked fetches the revoked sign-ins. It is nil without them, be it that auth is of a version before them.
func (k *RemoteKeys) loadRevoked(ctx context.Context) map[string]bool {
	beside, _ := url.JoinPath(k.url, "../revoked-sessions.json") // a URL that keys came from
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, beside, nil)
	if err != nil {
		return nil
	}
	res, err := k.client.Do(r)
	if err != nil {
		return nil
	}
	defer func() { _ = res.Body.Close() }()
	var list struct {
		Sessions []string `json:"sessions"`
	}
	if res.StatusCode != http.StatusOK || json.NewDecoder(res.Body).Decode(&list) != nil || list.Sessions == nil {
		return nil
	}
	revoked := make(map[string]bool, len(list.Sessions))
	for _, session := range list.Sessions {
		revoked[session] = true
	}
	return revoked
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"craftista/db"
	"craftista/shared/web"

	"golang.org/x/time/rate"
)

const timeout = 30 * time.Second // of one request

// population is all who use the site, and a curator who uses the APIs.
type population struct {
	meter          *meter
	transport      *http.Transport
	visitor, voter *web.Client // of the site; the voter is signed in there
	auth, product  *web.Client
	token          atomic.Pointer[string] // the curator's
	pieces         []piece
	unedited       chan piece // those of pieces that are not being edited
	live           string     // the URL of all pieces' counts
}

type piece struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// newPopulation signs in and reads which pieces there are.
func newPopulation(ctx context.Context, s settings, m *meter) (*population, error) {
	dialer := net.Dialer{Timeout: timeout}
	if !s.AllowRemote {
		dialer.Control = nearby
	}
	transport := &http.Transport{DialContext: dialer.DialContext, MaxIdleConnsPerHost: 1000}
	client := func(name, base string, jar http.CookieJar) *web.Client {
		return web.NewClient(name, base, &http.Client{Transport: transport, Timeout: timeout, Jar: jar})
	}
	jar, _ := cookiejar.New(nil) // which never fails
	p := &population{
		meter: m, transport: transport,
		visitor: client("the site", s.URL, nil), voter: client("the site", s.URL, jar),
		auth: client("auth", s.AuthURL, nil), product: client("product", s.ProductURL, nil),
	}
	if err := errors.Join(p.signInVoter(ctx), p.signInCurator(ctx)); err != nil {
		return nil, fmt.Errorf("sign in: %w", err)
	}
	_, err := p.product.Do(ctx, web.Request{Method: http.MethodGet, Path: "/api/products?limit=24"}, &p.pieces)
	if err == nil && len(p.pieces) == 0 {
		err = errors.New("there are no pieces")
	}
	ids := make([]string, len(p.pieces))
	p.unedited = make(chan piece, len(p.pieces))
	for i, it := range p.pieces {
		ids[i] = strconv.FormatInt(it.ID, 10)
		p.unedited <- it
	}
	p.live = s.URL + "/live?ids=" + strings.Join(ids, ",")
	return p, err
}

// nearby refuses a connection to an address that is neither this machine's nor
// private.
func nearby(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if ip := to.Addr().Unmap(); err != nil || !ip.IsLoopback() && !ip.IsPrivate() {
		return fmt.Errorf("%s is neither this machine's nor private, see -allow-remote", address)
	}
	return nil
}

// signInVoter gives the voter the site's cookies.
func (p *population) signInVoter(ctx context.Context) error {
	voter := db.DemoAccounts()[0]
	form := url.Values{"username": {voter.Username}, "password": {voter.Password}}
	_, err := p.voter.Do(ctx, web.Request{Method: http.MethodPost, Path: "/login", Body: web.RawBody{
		MediaType: "application/x-www-form-urlencoded", Bytes: []byte(form.Encode()),
	}}, nil)
	return err
}

// signInCurator gives the curator a new token.
func (p *population) signInCurator(ctx context.Context) error {
	curator := db.DemoAccounts()[1]
	var grant struct {
		Token string `json:"access_token"`
	}
	_, err := p.auth.Do(ctx, web.Request{
		Method: http.MethodPost, Path: "/api/auth/login",
		Body: map[string]string{"username": curator.Username, "password": curator.Password},
	}, &grant)
	if err == nil {
		p.token.Store(&grant.Token)
	}
	return err
}

// work has all of them at it until ctx is done, and returns when they have finished.
// So many begin in a second as the rate says, whether or not those before have ended:
// what is slow shows as slow, and does not get less to do.
func (p *population) work(ctx context.Context, perSecond float64, listeners int) {
	var all sync.WaitGroup
	begin := func(kind string, perSecond float64, do func(context.Context) error) {
		all.Go(func() {
			pace := rate.NewLimiter(rate.Limit(perSecond), 1)
			for pace.Wait(ctx) == nil {
				all.Go(func() { p.meter.measure(context.WithoutCancel(ctx), kind, do) })
			}
		})
	}
	begin("visit", 0.45*perSecond, p.visit)
	begin("search", 0.30*perSecond, p.search)
	begin("vote", 0.19*perSecond, p.vote)
	begin("edit", 0.05*perSecond, p.edit)
	// At most one a second: a password costs auth a quarter of a second of a processor.
	begin("sign in", min(0.01*perSecond, 1), p.signInCurator)

	// All open within a second, and again a second after they end.
	pace := rate.NewLimiter(rate.Limit(listeners), 1)
	for range listeners {
		all.Go(func() {
			for pace.Wait(ctx) == nil {
				p.meter.measure(ctx, "listen", p.listen)
			}
		})
	}
	all.Wait()
	p.meter.measure(context.WithoutCancel(ctx), "unvote", p.unvoteAll)
}

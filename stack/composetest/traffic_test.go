package composetest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const passphrase = "folded-by-the-tests"

// products is how many there are in the seed, with ids from 1.
const products = 24

// wholeGallery are texts of the gallery of somebody who is signed in, with nothing missing.
var wholeGallery = []string{`id="pieces"`, "View piece", "pick-list", "Sign out"}

// noRedirect returns redirects, which forms are answered with.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// traffic is people who look, sign in and vote all the time, by way of the proxy.
type traffic struct {
	loads  []*load
	voters []*voter
	before []int // votes by product, before theirs
}

// load is one person who sends one kind of request again and again, by connections that are used again or by a new one
// for each request.
type load struct {
	name     string
	send     func() error // one request
	sent     atomic.Int64
	mu       sync.Mutex // guards failures
	failures []error
}

// startTraffic has people at it until stop, which checks the votes.
func startTraffic(t *testing.T) (_ *traffic, stop func()) {
	t.Helper()
	tr := &traffic{before: counts(t)}
	site, api := published("SITE_PORT"), published("PRODUCT_PORT")
	for kind, keep := range map[string]bool{"used again": true, "new": false} {
		newClient := func(jar http.CookieJar) *http.Client {
			return &http.Client{
				Transport: &http.Transport{DisableKeepAlives: !keep}, Jar: jar, CheckRedirect: noRedirect,
				Timeout: time.Minute,
			}
		}
		add := func(name string, send func() error) {
			tr.loads = append(tr.loads, &load{name: name + ", connection " + kind, send: send})
		}
		reads := func(name string, jar http.CookieJar, url string, wants ...string) {
			client := newClient(jar)
			add(name, func() error { return read(client, url, wants...) })
		}
		votes := func(name string, vote func(v *voter, vote bool) error) {
			person, jar := register(t)
			v := &voter{name: person, client: newClient(jar), next: 1, vote: vote}
			tr.voters = append(tr.voters, v)
			add(name, v.change)
		}
		_, person := register(t)
		reads("the gallery", nil, site+"/", `id="pieces"`, "View piece")
		reads("the gallery, signed in", person, site+"/", wholeGallery...)
		reads("a product's page", nil, site+"/origamis/3", "</h1>")
		reads("products", nil, api+"/api/products?limit=3", `"votes"`)
		reads("today's product", nil, published("RECOMMENDATION_PORT")+"/api/origami-of-the-day", `"name"`)
		reads("keys", nil, published("AUTH_PORT")+"/.well-known/jwks.json", `"keys"`)
		votes("votes by form", voteByForm)
		votes("votes by token", voteByToken)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, l := range tr.loads {
		all.Go(func() { l.run(ctx) })
	}
	t.Cleanup(all.Wait) // also of a test that failed: the next one counts the votes
	return tr, func() {
		t.Helper()
		cancel()
		all.Wait()
		tr.checkVotes(t)
	}
}

// run sends requests until ctx is done, some twenty in a second.
func (l *load) run(ctx context.Context) {
	pace := time.NewTicker(50 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		if err := l.send(); err != nil {
			l.mu.Lock()
			l.failures = append(l.failures, err)
			l.mu.Unlock()
		}
		l.sent.Add(1)
		select {
		case <-pace.C:
		case <-ctx.Done():
		}
	}
}

// during does something while people go on, and fails the test for each of their failures that is not excused.
func (tr *traffic) during(t *testing.T, what string, excused func(error) bool, do func()) {
	t.Helper()
	began, from := time.Now(), tr.sent()
	tr.takeFailures()
	tr.goOn(t)
	do()
	tr.goOn(t)
	failed := 0
	for l, failures := range tr.takeFailures() {
		failed += len(failures)
		if excused != nil {
			failures = slices.DeleteFunc(failures, excused)
		}
		if n := len(failures); n > 0 {
			t.Errorf("%s: %d requests for %s failed, the first: %v", what, n, l.name, failures[0])
		}
	}
	t.Logf("%s: %d of %d requests failed in %.0f s", what, failed, tr.sent()-from, time.Since(began).Seconds())
}

// takeFailures returns and forgets them; nil is none.
func (tr *traffic) takeFailures() (all map[*load][]error) {
	for _, l := range tr.loads {
		l.mu.Lock()
		if len(l.failures) > 0 {
			if all == nil {
				all = map[*load][]error{}
			}
			all[l], l.failures = l.failures, nil
		}
		l.mu.Unlock()
	}
	return all
}

// goOn waits until each has sent five requests more.
func (tr *traffic) goOn(t *testing.T) {
	t.Helper()
	for _, l := range tr.loads {
		from := l.sent.Load()
		eventually(t, l.name+" goes on", func() bool { return l.sent.Load() >= from+5 })
	}
}

func (tr *traffic) sent() (sum int64) {
	for _, l := range tr.loads {
		sum += l.sent.Load()
	}
	return sum
}

// voter votes for one product after the other, and takes the votes back in the next round. A request that failed is
// followed by the same: whether it did something is not known.
type voter struct {
	name   string
	client *http.Client
	token  string
	next   int                // product
	voted  [products + 1]bool // by product, as acknowledged
	vote   func(v *voter, vote bool) error
}

func (v *voter) change() error {
	want := !v.voted[v.next]
	if err := v.vote(v, want); err != nil {
		return err
	}
	v.voted[v.next] = want
	v.next = v.next%products + 1
	return nil
}

// voteByForm presses the button of a page.
func voteByForm(v *voter, vote bool) error {
	path := fmt.Sprintf("/origamis/%d", v.next)
	action := map[bool]string{true: "/vote", false: "/unvote"}[vote]
	res, body, err := answer(v.client, http.MethodPost, published("SITE_PORT")+path+action, "", "")
	if to := fmt.Sprintf("%s#piece-%d", path, v.next); err == nil && res.Header.Get("Location") != to {
		return unwanted{path + action, res.StatusCode, body}
	}
	return err
}

// voteByToken votes as a script does, which signs in before each round.
func voteByToken(v *voter, vote bool) error {
	if v.next == 1 || v.token == "" {
		if err := v.signIn(); err != nil {
			return err
		}
	}
	method := map[bool]string{true: http.MethodPost, false: http.MethodDelete}[vote]
	path := fmt.Sprintf("/api/origamis/%d/vote", v.next)
	res, body, err := answer(v.client, method, published("PRODUCT_PORT")+path, v.token, "")
	if err == nil && res.StatusCode != http.StatusOK {
		return unwanted{path, res.StatusCode, body}
	}
	return err
}

func (v *voter) signIn() error {
	var grant struct {
		Token string `json:"access_token"`
	}
	account := `{"username": "` + v.name + `", "password": "` + passphrase + `"}`
	res, body, err := answer(v.client, http.MethodPost, published("AUTH_PORT")+"/api/auth/login", "", account)
	if err != nil {
		return err
	}
	if err := json.Unmarshal([]byte(body), &grant); err != nil || grant.Token == "" {
		return unwanted{"the sign-in", res.StatusCode, body}
	}
	v.token = grant.Token
	return nil
}

// checkVotes compares what was acknowledged with what product says, for each voter and in sum.
func (tr *traffic) checkVotes(t *testing.T) {
	t.Helper()
	want := slices.Clone(tr.before)
	var ids []string
	for id := 1; id <= products; id++ {
		ids = append(ids, fmt.Sprint(id))
	}
	acknowledged := 0
	for _, v := range tr.voters {
		// What failed last is unknown until the same was acknowledged.
		eventually(t, v.name+"'s last vote is acknowledged", func() bool { return v.change() == nil })
		if err := v.signIn(); err != nil {
			t.Fatal(err)
		}
		mine := request(t, http.MethodGet, published("PRODUCT_PORT")+"/api/votes/mine?ids="+strings.Join(ids, ","), nil)
		mine.Header.Set("Authorization", "Bearer "+v.token)
		_, body := send(t, http.DefaultClient, mine)
		var reply struct {
			IDs []int `json:"origami_ids"`
		}
		if err := json.Unmarshal([]byte(body), &reply); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for id := 1; id <= products; id++ {
			if got := slices.Contains(reply.IDs, id); got != v.voted[id] {
				t.Errorf("%s's vote for %d is %t, acknowledged was %t", v.name, id, got, v.voted[id])
			}
			if v.voted[id] {
				want[id]++
				acknowledged++
			}
		}
	}
	if got := counts(t); !slices.Equal(got, want) {
		t.Errorf("counts are %d, want %d", got, want)
	}
	t.Logf("%d votes stand", acknowledged)
}

// counts are the votes by product.
func counts(t *testing.T) []int {
	t.Helper()
	all := make([]int, products+1)
	for id := 1; id <= products; id++ {
		url := fmt.Sprintf("%s/api/origamis/%d/votes", published("PRODUCT_PORT"), id)
		_, body := send(t, http.DefaultClient, request(t, http.MethodGet, url, nil))
		var reply struct{ Votes int }
		if err := json.Unmarshal([]byte(body), &reply); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		all[id] = reply.Votes
	}
	return all
}

// register makes a new person, whom the jar signs in to the site.
func register(t *testing.T) (name string, _ http.CookieJar) {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	name = newName()
	form := url.Values{"username": {name}, "email": {name + "@example.com"}, "password": {passphrase}}
	res, body := send(t, &http.Client{Jar: jar}, pageForm(t, published("SITE_PORT")+"/register", form))
	if !strings.Contains(body, "Sign out") {
		t.Fatalf("registration answers %d: %.300s", res.StatusCode, body)
	}
	return name, jar
}

// unwanted is an answer that is not what the request was for.
type unwanted struct {
	url    string
	status int
	body   string
}

func (u unwanted) Error() string {
	return fmt.Sprintf("%s answers %d: %.300s", u.url, u.status, u.body)
}

// read gets a page that has the texts.
func read(c *http.Client, url string, wants ...string) error {
	res, body, err := answer(c, http.MethodGet, url, "", "")
	lacks := func(want string) bool { return !strings.Contains(body, want) }
	if err == nil && (res.StatusCode != http.StatusOK || slices.ContainsFunc(wants, lacks)) {
		return unwanted{url, res.StatusCode, body}
	}
	return err
}

// answer sends one request, which Go's client sends no second time: nothing says that its body can be read again.
func answer(c *http.Client, method, url, bearer, body string) (*http.Response, string, error) {
	r, err := http.NewRequest(method, url, io.NopCloser(strings.NewReader(body)))
	if err != nil {
		return nil, "", err
	}
	if r.ContentLength = int64(len(body)); body == "" {
		r.Body = io.NopCloser(http.NoBody)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if bearer != "" {
		r.Header.Set("Authorization", "Bearer "+bearer)
	}
	res, err := c.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	return res, string(text), err
}

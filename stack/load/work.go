package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"craftista/shared/web"

	"golang.org/x/sync/errgroup"
)

// asset matches what a browser loads with a page.
var asset = regexp.MustCompile(`"/(static|images)/[^"]+"`)

// visit loads the gallery and, six at a time as browsers do, its assets. A gallery
// without pieces is an error.
func (p *population) visit(ctx context.Context) error {
	var page web.RawBody
	if _, err := p.visitor.Do(ctx, web.Request{Method: http.MethodGet, Path: "/"}, &page); err != nil {
		return err
	}
	if !bytes.Contains(page.Bytes, []byte(`id="pieces"`)) {
		return errors.New("the gallery has no pieces")
	}
	loading, ctx := errgroup.WithContext(ctx)
	loading.SetLimit(6)
	assets := asset.FindAllString(string(page.Bytes), -1)
	slices.Sort(assets)
	for _, path := range slices.Compact(assets) {
		loading.Go(func() error {
			_, err := p.visitor.Do(ctx, web.Request{Method: http.MethodGet, Path: strings.Trim(path, `"`)}, nil)
			return err
		})
	}
	return loading.Wait()
}

// search types the beginning of a name.
func (p *population) search(ctx context.Context) error {
	name := []rune(p.anyPiece().Name)
	typed := url.Values{"q": {string(name[:1+rand.IntN(len(name))])}} //nolint:gosec // no secret
	return byHtmx(ctx, p.visitor, http.MethodGet, "/?"+typed.Encode())
}

// vote votes or takes a vote back. Neither is new each time.
func (p *population) vote(ctx context.Context) error {
	action := [...]string{"vote", "unvote"}[rand.IntN(2)] //nolint:gosec // no secret
	return p.submit(ctx, action, p.anyPiece())
}

// unvoteAll takes all votes back.
func (p *population) unvoteAll(ctx context.Context) error {
	for _, it := range p.pieces {
		if err := p.submit(ctx, "unvote", it); err != nil {
			return err
		}
	}
	return nil
}

// submit presses a button of the voter's page.
func (p *population) submit(ctx context.Context, button string, it piece) error {
	return byHtmx(ctx, p.voter, http.MethodPost, fmt.Sprintf("/origamis/%d/%s", it.ID, button))
}

// edit changes a piece and changes it back, on condition that nobody else has.
func (p *population) edit(ctx context.Context) error {
	it := <-p.unedited
	defer func() { p.unedited <- it }()
	path := fmt.Sprintf("/api/products/%d", it.ID)
	draft := map[string]any{}
	header, err := p.product.Do(ctx, web.Request{Method: http.MethodGet, Path: path}, &draft)
	if err != nil {
		return err
	}
	for _, computed := range []string{"id", "votes", "created_at", "updated_at"} {
		delete(draft, computed)
	}
	before := fmt.Sprint(draft["description"])
	for _, text := range []string{before + " …", before} {
		draft["description"] = text
		header, err = p.product.Do(ctx, web.Request{
			Method: http.MethodPut, Path: path, Bearer: *p.token.Load(), Body: draft,
			Header: http.Header{"If-Match": header["Etag"]},
		}, nil)
		if err != nil {
			return fmt.Errorf("edit %s: %w", path, err)
		}
	}
	return nil
}

// listen counts the events of a stream of live counts until ctx is done. A stream
// that ends before is an error.
func (p *population) listen(ctx context.Context) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, p.live, nil)
	if err != nil {
		return err
	}
	res, err := p.transport.RoundTrip(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	p.meter.listeners.Add(1)
	defer p.meter.listeners.Add(-1)
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() {
		if bytes.HasPrefix(lines.Bytes(), []byte("data:")) {
			p.meter.events.Add(1)
		}
	}
	if ctx.Err() != nil {
		return nil
	}
	return errors.Join(fmt.Errorf("a stream ended (%s)", res.Status), lines.Err())
}

// byHtmx asks the site for a fragment of a page.
func byHtmx(ctx context.Context, site *web.Client, method, path string) error {
	_, err := site.Do(ctx, web.Request{Method: method, Path: path, Header: http.Header{"Hx-Request": {"true"}}}, nil)
	return err
}

func (p *population) anyPiece() piece { return p.pieces[rand.IntN(len(p.pieces))] } //nolint:gosec // no secret

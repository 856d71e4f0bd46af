package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// drawn is a picture that a curator has on disk.
const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"><path d="M0 0h10L5 10z" fill="#c43a20"/></svg>`

// TestACuratorsDay adds a piece with a picture of its own, edits it, meets another
// curator's edit and deletes it, with JavaScript and without.
func TestACuratorsDay(t *testing.T) {
	t.Parallel()
	var database string
	s := stacktest.Start(t, func(c *local.Config) { database = c.DatabaseURL })
	front := s.URLs["frontend"]
	picture, script := filepath.Join(t.TempDir(), "heron.svg"), filepath.Join(t.TempDir(), "script.svg")
	for file, text := range map[string]string{picture: drawn, script: strings.Replace(drawn, "<path", "<script>alert(1)</script><path", 1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, scripting := range []bool{true, false} {
		t.Run(fmt.Sprintf("script=%v", scripting), func(t *testing.T) {
			t.Parallel()
			b := open(t, s, scripting)
			other := elsewhere(t, front, b.become(database, "curator"), passphrase)
			name := "Heron " + newcomer()
			b.click(".doors a")
			b.click(".section-head .button")
			b.at("/admin/pieces/new")
			b.fill("#name", name)
			b.fill("#description", "It stands & waits.")
			b.choose("#difficulty", "advanced")
			b.fill("#folds", "12345")
			b.fill("#paper", "washi")
			b.upload(script)
			b.submit("#piece-form")
			b.see("#file-error", "script")
			b.see(".field:has(#folds)", "Folds must be between 1 and 1000")
			b.do(chromedp.Clear(chromedp.CSS("#folds")))
			b.fill("#folds", "12")
			b.upload(picture)
			b.submit("#piece-form")
			b.see("#done", name+" is in the gallery now.")
			twice(t, other, s, "Twice "+name)
			largest(t, other, front, "Large "+name)

			b.click("#done a")
			b.see("h1", name)
			b.shown(".piece .sheet img")
			b.see(".lead", "It stands & waits.")
			where, err := chromedp.Run(b.ctx, chromedp.Location())
			if err != nil {
				t.Fatal(err)
			}
			piece := strings.TrimPrefix(where, front)
			b.click(".eyebrow-date a")
			b.see("h1", "Edit a piece")
			id := strings.TrimPrefix(piece, "/origamis/")
			theirs(t, other, front, id, "They call it "+name)
			b.do(chromedp.Clear(chromedp.CSS("#paper")))
			b.fill("#paper", "newsprint")
			b.submit("#piece-form")
			b.see("#conflict-heading", "Somebody else saved this piece meanwhile")
			b.see("#name-theirs", "They call it "+name)
			b.submit("#piece-form")
			b.see("#done", name+" is saved.")
			b.goTo(piece)
			b.see(".facts", "newsprint")

			b.goTo("/admin/pieces/" + id + "/delete")
			b.submit("#removal")
			b.see("#done", "The piece has left the gallery.")
			b.goTo(piece)
			b.see("h1", "It flew away")
		})
	}
}

// named counts the latest pieces of that name.
func named(t *testing.T, s *local.Stack, name string) (n int) {
	t.Helper()
	var pieces []struct{ Name string }
	got := do(t, http.DefaultClient, get(t, s.URLs["product"]+"/api/products?sort=-created_at&limit=100"))
	if err := json.Unmarshal([]byte(got.Body), &pieces); err != nil {
		t.Fatalf("%d %s: %v", got.Status, got.Body, err)
	}
	for _, p := range pieces {
		if p.Name == name {
			n++
		}
	}
	return n
}

// become makes somebody a curator or an admin, leaves their browser at /admin and
// returns their name.
func (b *tab) become(database, role string) string {
	b.t.Helper()
	name := b.join()
	db, err := pg.Open(database, telemetry.Discard())
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(b.t.Context(), `UPDATE auth.users SET role = $1 WHERE username = $2`, role, name); err != nil {
		b.t.Fatal(err)
	}
	b.submit(`form[action="/logout"]`)
	b.see(".site-nav", "Sign in")
	b.goTo("/login?next=/admin")
	b.fill("#username", name)
	b.fill("#password", passphrase)
	b.submit("#login-form")
	b.see("h1", "Admin")
	return name
}

// choose takes the option with the value as a keyboard does, by its first letter.
func (b *tab) choose(selector, value string) {
	b.t.Helper()
	b.fill(selector, value[:1])
}

func (b *tab) upload(file string) {
	b.t.Helper()
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file}))
}

// shown fails the test unless the image is one that the browser can draw.
func (b *tab) shown(selector string) {
	b.t.Helper()
	source, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS(selector), "src"))
	if err != nil || !strings.HasPrefix(source.Value, "/images/") {
		b.t.Fatalf("the picture is at %q, %v", source.Value, err)
	}
	got := do(b.t, http.DefaultClient, get(b.t, b.front+source.Value))
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(got.Body, "M0 0h10L5 10z") {
		b.t.Errorf("the picture: %d %v %s", got.Status, got.Header, got.Body)
	}
}

// theirs is what another curator's browser does: read the form, change the name,
// save.
func theirs(t *testing.T, client *http.Client, front, id, name string) {
	t.Helper()
	at := front + "/admin/pieces/" + id + "/edit"
	form := do(t, client, get(t, at)).Body
	r := pieceOf(t, at, map[string]string{
		"tag": found(t, form, `name="tag" value="([^"]*)"`), "name": name, "picture": found(t, form, `name="picture" value="([^"]*)" checked`),
	})
	if got := do(t, client, r); got.Status != http.StatusSeeOther {
		t.Fatalf("their edit: %d %s", got.Status, got.Body)
	}
}

// twice is a double click without script: one form, sent twice at once.
func twice(t *testing.T, client *http.Client, s *local.Stack, name string) {
	t.Helper()
	at := s.URLs["frontend"] + "/admin/pieces/new"
	key := found(t, do(t, client, get(t, at)).Body, `name="key" value="([^"]*)"`)
	var requests []*http.Request
	for range 2 {
		requests = append(requests, pieceOf(t, at, map[string]string{"key": key, "name": name, "picture": "/static/origami/swan.svg"}))
	}
	var wg sync.WaitGroup
	for _, r := range requests {
		wg.Go(func() {
			if got := do(t, client, r); got.Status != http.StatusSeeOther {
				t.Errorf("adding: %d %s", got.Status, got.Body)
			}
		})
	}
	wg.Wait()
	if got := named(t, s, name); got != 1 {
		t.Errorf("%d pieces of one form", got)
	}
}

// largest adds a piece with a drawing that takes 1 MiB once it is written anew, the
// most that the catalogue keeps, and looks at it.
func largest(t *testing.T, client *http.Client, front, name string) {
	t.Helper()
	const limit, quote = 1 << 20, "&#39;"
	const head, tail = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><desc>`, "</desc></svg>"
	room := limit - len(head) - len(tail)
	at := front + "/admin/pieces/new"
	r := pieceOf(t, at, map[string]string{
		"key": found(t, do(t, client, get(t, at)).Body, `name="key" value="([^"]*)"`), "name": name,
		"file": head + strings.Repeat("'", room/len(quote)) + strings.Repeat("x", room%len(quote)) + tail,
	})
	added := do(t, client, r)
	_, id, ok := strings.Cut(added.Header.Get("Location"), "piece=")
	if !ok {
		t.Fatalf("adding: %d %s", added.Status, added.Body)
	}
	source := found(t, do(t, client, get(t, front+"/origamis/"+id)).Body, `<img src="(/images/[^"]*)"`)
	if got := do(t, client, get(t, front+source)); got.Status != http.StatusOK || len(got.Body) != limit {
		t.Errorf("%s: %d, %d bytes", source, got.Status, len(got.Body))
	}
}

// found is what the pattern's group matches in the page.
func found(t *testing.T, page, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("no %s in %s", pattern, page)
	}
	return html.UnescapeString(m[1])
}

// pieceOf is the post of a piece's form.
func pieceOf(t *testing.T, at string, fields map[string]string) *http.Request {
	t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	maps.Copy(fields, map[string]string{"description": "It flies.", "difficulty": "easy", "folds": "3", "paper": "washi"})
	for field, value := range fields {
		create := parts.CreateFormField
		if field == "file" {
			create = func(field string) (io.Writer, error) { return parts.CreateFormFile(field, "mine.svg") }
		}
		part, err := create(field)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = part.Write([]byte(value))
	}
	_ = parts.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at, &body)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", parts.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return r
}

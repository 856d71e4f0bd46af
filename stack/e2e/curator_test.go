package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// drawn is a picture that a curator has on disk.
const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">` +
	`<path d="M0 0h10L5 10z" fill="#c43a20"/></svg>`

// TestCurator adds a product with a picture of its own, edits it, meets another
// curator's edit and deletes it, with JavaScript and without.
func TestCurator(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	front := s.URLs["frontend"]
	picture, script := filepath.Join(t.TempDir(), "heron.svg"), filepath.Join(t.TempDir(), "script.svg")
	hostile := strings.Replace(drawn, "<path", "<script>alert(1)</script><path", 1)
	for file, text := range map[string]string{picture: drawn, script: hostile} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	withAndWithoutScript(t, s, func(t *testing.T, b *tab, _ bool) {
		other := signIn(t, front, b.become(s, "curator"), passphrase)
		name := "Heron " + newName()
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
		b.see("#done", name+" was added to the gallery.")

		b.click("#done a")
		b.see("h1", name)
		b.wantImage(".piece .sheet img")
		b.see(".lead", "It stands & waits.")
		where, err := chromedp.Run(b.ctx, chromedp.Location())
		if err != nil {
			t.Fatal(err)
		}
		product := strings.TrimPrefix(where, front)
		b.click(".eyebrow-date a")
		b.see("h1", "Edit a piece")
		id := strings.TrimPrefix(product, "/origamis/")
		editName(t, s, other, id, "They call it "+name)
		b.do(chromedp.Clear(chromedp.CSS("#paper")))
		b.fill("#paper", "newsprint")
		b.submit("#piece-form")
		b.see("#conflict-heading", "Somebody else has changed this piece")
		b.see("#name-theirs", "They call it "+name)
		b.submit("#piece-form")
		b.see("#done", name+" was saved.")
		b.goTo(product)
		b.see(".facts", "newsprint")

		b.goTo("/admin/pieces/" + id + "/delete")
		b.submit("#removal")
		b.see("#done", "The piece was deleted.")
		b.goTo(product)
		b.see("h1", "Page not found")
	})
}

// named counts the latest products of that name.
func named(t *testing.T, s *local.Stack, name string) (n int) {
	t.Helper()
	var products []struct{ Name string }
	got := do(t, http.DefaultClient, get(t, s.URLs["product"]+"/api/products?sort=-created_at&limit=100"))
	if err := json.Unmarshal([]byte(got.Body), &products); err != nil {
		t.Fatalf("%d %s: %v", got.Status, got.Body, err)
	}
	for _, p := range products {
		if p.Name == name {
			n++
		}
	}
	return n
}

// wantImage fails the test unless the image is one that the browser can draw.
func (b *tab) wantImage(selector string) {
	b.t.Helper()
	source, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS(selector), "src"))
	if err != nil || !strings.HasPrefix(source.Value, "/images/") {
		b.t.Fatalf("the picture is at %q, %v", source.Value, err)
	}
	got := do(b.t, http.DefaultClient, get(b.t, b.front+source.Value))
	if got.Status != http.StatusOK || got.Header.Get("Content-Type") != "image/svg+xml" ||
		!strings.Contains(got.Body, "M0 0h10L5 10z") {
		b.t.Errorf("the picture: %d %v %s", got.Status, got.Header, got.Body)
	}
}

// editName is another curator's edit meanwhile, by the API.
func editName(t *testing.T, s *local.Stack, client *http.Client, id, name string) {
	t.Helper()
	body := fmt.Sprintf(`{"name": %q, "description": "It flies.", "image_url": "/static/origami/swan.svg",
		"difficulty": "easy", "folds": 3, "paper": "washi"}`, name)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URLs["product"]+"/api/products/"+id,
		strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("If-Match", "*")
	r.Header.Set("Authorization", "Bearer "+cookies(t, client, s.URLs["frontend"])["craftista_session"])
	if got := do(t, client, r); got.Status != http.StatusOK {
		t.Fatalf("the other curator's edit: %d %s", got.Status, got.Body)
	}
}

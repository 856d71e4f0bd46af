package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"craftista/stack/internal/stacktest"

	"github.com/chromedp/chromedp"
)

// TestDrawingsLookTheSame: what programs write, and what the catalogue keeps of it,
// are drawn alike.
func TestDrawingsLookTheSame(t *testing.T) {
	t.Parallel()
	s := stacktest.Start(t, nil)
	b := open(t, s, true)
	person := map[string]string{"username": b.become(s, "curator"), "password": passphrase}
	token := postTo[struct {
		Text string `json:"access_token"`
	}](t, s.URLs["auth"]+"/api/auth/login", "", "application/json", mustJSON(t, person)).Text
	b.do(chromedp.Navigate("about:blank")) // the site's pages may not load data
	files, err := filepath.Glob("../../product/internal/picture/testdata/*.svg")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	compared := 0
	for _, file := range files {
		drawing, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kept := postTo[struct {
			ImageURL string `json:"image_url"`
		}](t, s.URLs["product"]+"/api/images", token, "image/svg+xml", drawing)
		if kept.ImageURL == "" {
			continue // picture's own test has which are refused
		}
		shown := do(t, http.DefaultClient, get(t, s.URLs["product"]+kept.ImageURL)).Body
		different, err := chromedp.Run(b.ctx, chromedp.Evaluate[int](
			fmt.Sprintf(compare, dataURL(drawing), dataURL([]byte(shown))), chromedp.EvalAwaitPromise))
		if err != nil || different > 16 { // edges may round to another grey
			t.Errorf("%s: %d pixels differ, %v", filepath.Base(file), different, err)
		}
		compared++
	}
	if compared < 8 {
		t.Errorf("%d drawings compared", compared)
	}
}

// compare counts the pixels of two drawings, 256 by 256, that differ visibly.
const compare = `(async () => {
	const draw = async (url) => {
		const image = new Image(256, 256);
		image.src = url;
		await image.decode();
		const canvas = document.createElement("canvas");
		canvas.width = canvas.height = 256;
		const context = canvas.getContext("2d", { willReadFrequently: true });
		context.drawImage(image, 0, 0, 256, 256);
		return context.getImageData(0, 0, 256, 256).data;
	};
	const [before, after] = [await draw(%q), await draw(%q)];
	if (!before.some((value) => value)) throw new Error("nothing is drawn");
	let different = 0;
	for (let at = 0; at < before.length; at += 4) {
		if ([0, 1, 2, 3].some((c) => Math.abs(before[at + c] - after[at + c]) > 24)) different++;
	}
	return different;
})()`

func dataURL(drawing []byte) string {
	return "data:image/svg+xml;base64," + base64.StdEncoding.EncodeToString(drawing)
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// postTo posts a body and reads the answer, whatever its status.
func postTo[T any](t *testing.T, url, token, mediaType string, body []byte) (answer T) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", mediaType)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if err := json.Unmarshal([]byte(do(t, http.DefaultClient, r).Body), &answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

package page_test

import (
	"bytes"
	"crypto/rand"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// heron is a product's form as a browser sends it, with no file chosen, and the
// pairs of names and values instead.
func heron(pairs ...string) url.Values {
	form := url.Values{
		"tag": {""}, "name": {"Heron"}, "description": {"It stands.\r\nIt waits."}, "difficulty": {"easy"}, "folds": {" 12 "},
		"paper": {" any\u00a0"}, "maker": {" Ada\u00a0"}, "instructions_url": {" https://example.org/ "},
		"picture": {"/static/origami/swan.svg"}, "key": {rand.Text()},
	}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	return form
}

// postProduct posts the form with its "file", if it has one, as a file.
func (w *website) postProduct(path string, form url.Values, options ...option) answer {
	w.t.Helper()
	var body bytes.Buffer
	parts := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			if name == "file" {
				part, _ := parts.CreateFormFile(name, "heron.svg")
				_, _ = part.Write([]byte(value))
				continue
			}
			_ = parts.WriteField(name, value)
		}
	}
	if !form.Has("file") {
		_, _ = parts.CreateFormFile("file", "")
	}
	_ = parts.Close()
	return w.do(http.MethodPost, path, &body, slices.Concat([]option{header("Content-Type", parts.FormDataContentType())},
		options)...)
}

// filled is what the form holds, by field, but for the key, which is another one
// each time: see keyOf.
func filled(a answer) map[string]string {
	got := map[string]string{"description": text(a.id("description")), "errors": "", "focus": ""}
	for n := range elements(a.id("piece-form")) {
		has := func(key string) bool {
			return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
		}
		switch {
		case attr(n, "type") == "radio" && has("checked"):
			got["picture"] = attr(n, "value")
		case n.Data == "option" && has("selected"):
			got["difficulty"] = attr(n, "value")
		case n.Data == "input" && attr(n, "type") != "radio" && attr(n, "type") != "file":
			got[attr(n, "name")] = attr(n, "value")
		case attr(n, "class") == "field-error":
			got["errors"] += text(n) + ". "
		case attr(n, "class") == "theirs-text":
			got["theirs of "+strings.TrimSuffix(attr(n.Parent, "id"), "-theirs")] = text(n)
		}
		if has("autofocus") {
			got["focus"] += attr(n, "id")
		}
	}
	delete(got, "key")
	return got
}

// keyOf is the key in the form, "" if it has none.
func keyOf(a answer) string {
	for _, input := range a.tags("input") {
		if attr(input, "name") == "key" {
			return attr(input, "value")
		}
	}
	return ""
}

// TestTheFormIsValid where browsers forgive and validators do not.
func TestTheFormIsValid(t *testing.T) {
	w := startWebsite(t)
	for _, path := range []string{"/admin/pieces/new", "/admin/pieces/1/edit"} {
		a := w.get(path, w.here("curator"))
		for _, label := range a.tags("label") {
			for n := range elements(label) {
				if n.Data == "div" || n.Data == "p" {
					t.Errorf("%s: a <%s> in the label %q", path, n.Data, text(label))
				}
			}
		}
		check(t, path, attr(a.id("file"), "autocomplete"), "", attr(a.id("name"), "autocomplete"), "off",
			attr(a.tags("option")[0], "value"), "", text(a.tags("option")[0]), "Choose one",
			attr(a.id("name"), "dir"), "auto", attr(a.id("description"), "dir"), "auto")
		for id, required := range map[string]bool{"name": true, "maker": false, "instructions_url": false, "file": false} {
			check(t, path+" "+id, slices.ContainsFunc(a.id(id).Attr, func(a html.Attribute) bool {
				return a.Key == "required"
			}), required)
		}
	}
}

func TestAProductIsAdded(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/admin/pieces/new", w.here("curator"))
	want := map[string]string{"tag": "", "name": "", "description": "", "difficulty": "", "folds": "", "paper": "",
		"maker": "", "instructions_url": "",
		"errors": "", "focus": ""}
	check(t, "what has nothing to say is not empty, and so takes room", a.id("piece-problem").FirstChild == nil, true)
	a.check(t, "the form", 200, filled(a), want, len(texts(a, "li", "drawing")), 24)
	for name, how := range w.ways("/admin/pieces/new") {
		a = w.postProduct("/admin/pieces/new", heron(), w.here("curator"), how)
		check(t, name, a.header.Get("Location")+a.header.Get("HX-Redirect"), begins("/admin/pieces?done=added&piece="))
		added := w.products[len(w.products)-1]
		got := []any{added["name"], added["description"], added["image_url"], added["difficulty"], added["folds"],
			added["paper"], added["maker"], added["instructions_url"]}
		check(t, name, got, []any{"Heron", "It stands.\nIt waits.", "/static/origami/swan.svg", "easy", 12.0, "any", "Ada",
			"https://example.org/"})
	}
}

func TestABrokenProductComesBack(t *testing.T) {
	w := startWebsite(t)
	long := strings.Repeat("é<b>", 2500) // 10,000 characters
	odd := "\u202eevil\u202c 👩‍👩‍👧 e\u0301 \"><script>alert(1)</script> {{x}} ${y} 折り紙"
	for _, row := range []struct {
		name   string
		form   url.Values
		errors string
		focus  string
	}{
		{"long texts", heron("name", long, "description", long),
			"Name must have 1 to 100 characters. Description must have 1 to 2000 characters. ", "name"},
		{"odd texts", heron("name", odd, "folds", odd, "paper", odd), "Folds must be between 1 and 1000. ", "folds"},
		{"no number", heron("folds", "many"), "Folds must be between 1 and 1000. ", "folds"},
		{"a huge number", heron("folds", strings.Repeat("9", 300)), "Folds must be between 1 and 1000. ", "folds"},
		{"no picture", heron("picture", ""), "Choose one of the drawings, or upload a picture. ", "file"},
		{"a script for a picture", heron("picture", "javascript:alert(1)"),
			"Choose one of the drawings, or upload a picture. ", "file"},
		{"nothing", url.Values{"key": {"k"}},
			"Name must have 1 to 100 characters. Description must have 1 to 2000 characters. " +
				"Difficulty must be easy, intermediate or advanced. Folds must be between 1 and 1000. Choose one of the " +
				"drawings, or upload a picture. ", "name"},
		{"no link", heron("maker", long, "instructions_url", "http://example.org/"),
			"Maker must have 0 to 100 characters. Folding instructions must be an address that begins with https://. ", "maker"},
		{"a rule that the form does not know", heron("paper", "odd"), "", "piece-problem"},
		{"a bad file and a bad name", heron("name", "", "file", "<svg><script/></svg>"),
			"Name must have 1 to 100 characters. The file must not have a <script> (line 1). ", "name"},
	} {
		for how, o := range w.ways("/admin/pieces/new") {
			a := w.postProduct("/admin/pieces/new", row.form, w.here("curator"), o)
			want := map[string]string{"tag": "", "errors": strings.ReplaceAll(row.errors, "picture. ", "picture.. "),
				"focus": row.focus}
			want["errors"] = strings.ReplaceAll(want["errors"], "(line 1). ", "(line 1).. ")
			for _, field := range []string{"name", "description", "difficulty", "folds", "paper", "maker", "instructions_url",
				"picture"} {
				want[field] = strings.TrimSpace(strings.ReplaceAll(row.form.Get(field), "\r\n", " "))
			}
			if !strings.HasPrefix(want["picture"], "/") {
				delete(want, "picture")
			}
			a.check(t, row.name+", "+how, 422, filled(a), want, text(a.id("piece-problem")) != "", true)
			check(t, row.name+", "+how, len(a.tags("header")) == 0, how == "htmx", a.body, lacks("é<b>"))
		}
	}
	check(t, "the answer", len(w.products), 3)
}

func TestPictureOfAProduct(t *testing.T) {
	t.Parallel()
	const svg, png = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`, "\x89PNG\r\n\x1a\n..."
	const jpeg = "\xff\xd8\xff\xe0 JFIF"
	for _, row := range []struct{ name, file, media, refusal string }{
		{"an SVG", svg, "image/svg+xml", ""},
		{"an SVG with a declaration", "<?xml version=\"1.0\"?>\n" + svg, "image/svg+xml", ""},
		{"a PNG that calls itself an SVG", png, "image/png", ""},
		{"at the limit", svg + strings.Repeat(" ", 1<<20-len(svg)), "image/svg+xml", ""},
		{"over the limit", svg + strings.Repeat(" ", 1<<20), "", "The file is over 1 MiB."},
		{"far over it", strings.Repeat("x", 8<<20), "", "The file is over 1 MiB."},
		{"empty", "", "", "The file is empty."},
		{"a photo", jpeg, "image/jpeg", ""},
		{"a GIF", "GIF89a", "image/gif", ""},
		{"a WebP", "RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", ""},
		{"a photo at the limit", jpeg + strings.Repeat(" ", 12<<20-len(jpeg)), "image/jpeg", ""},
		{"a photo over the limit", jpeg + strings.Repeat(" ", 12<<20), "", "The file is over 12 MiB."},
		{"a photo of an iPhone", "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "",
			"The file is a HEIC photo, which browsers cannot show. Save it as JPEG, or set the phone's camera to its most " +
				"compatible format, and choose it again."},
		{"a film", "\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "", "The file is not a JPEG, PNG, WebP, GIF or SVG."},
		{"a document", "%PDF-1.7", "", "The file is not a JPEG, PNG, WebP, GIF or SVG."},
		{"a script", svg[:5] + "><script>alert(1)</script></svg>", "image/svg+xml",
			"The file must not have a <script> (line 1)."},
		{"two things at once", svg[:5] + "><text>x</text></svg>", "image/svg+xml",
			"The file contains text. Go. The file contains a <b>."},
	} {
		t.Run(row.name, func(t *testing.T) {
			w := startWebsite(t)
			a := w.postProduct("/admin/pieces/new", heron("file", row.file), w.here("curator"))
			if row.refusal == "" {
				a.check(t, "the answer", 303, w.products[len(w.products)-1]["image_url"], begins("/api/images/"))
			} else {
				a.check(t, "the answer", 422, text(a.id("file-error")), row.refusal,
					filled(a)["picture"], "/static/origami/swan.svg")
			}
			check(t, "uploads", strings.Join(w.uploads, " "), row.media)
		})
	}
}

// TestAnUploadIsNotLost holds that a file which was taken needs no second choice
// when something else was wrong.
func TestAnUploadIsNotLost(t *testing.T) {
	w := startWebsite(t)
	a := w.postProduct("/admin/pieces/new", heron("name", "", "file", "<svg/>"), w.here("curator"))
	kept := filled(a)["picture"]
	a.check(t, "the form", 422, kept, begins("/api/images/"), text(a.class("drawing")), "An upload")
	check(t, "the answer", attr(a.class("drawing").FirstChild.NextSibling.NextSibling.FirstChild.FirstChild, "src"),
		"/images/"+strings.TrimPrefix(kept, "/api/images/"))
	a = w.postProduct("/admin/pieces/new", heron("picture", kept), w.here("curator"))
	a.check(t, "the answer", 303, w.products[len(w.products)-1]["image_url"], kept)
}

func TestProductFormsThatAreNone(t *testing.T) {
	w := startWebsite(t)
	many := heron()
	for i := range 5000 {
		many["name"] = append(many["name"], string(rune('a'+i%26)))
	}
	multi := header("Content-Type", "multipart/form-data; boundary=b")
	raw := func(body string, o option) answer {
		return w.do(http.MethodPost, "/admin/pieces/1/edit", strings.NewReader(body), o, w.here("curator"))
	}
	for name, row := range map[string]struct {
		a      answer
		status int
	}{
		"no key":              {w.postProduct("/admin/pieces/new", heron("key", ""), w.here("curator")), 400},
		"a key with a header": {w.postProduct("/admin/pieces/new", heron("key", "a\r\nX: y"), w.here("curator")), 400},
		"a long key": {w.postProduct("/admin/pieces/new", heron("key", strings.Repeat("k", 101)),
			w.here("curator")), 400},
		"many parts":       {w.postProduct("/admin/pieces/new", many, w.here("curator")), 400},
		"an unknown field": {w.postProduct("/admin/pieces/new", heron("votes", "1000"), w.here("curator")), 400},
		"two files": {w.postProduct("/admin/pieces/new", url.Values{"file": {"<svg/>", "<svg/>"}},
			w.here("curator")), 400},
		"no UTF-8": {w.postProduct("/admin/pieces/new", heron("name", "\xff"), w.here("curator")), 400},
		"too much text": {w.postProduct("/admin/pieces/new", heron("description", strings.Repeat("x", 70_000)),
			w.here("curator")), 413},
		"a whole film": {w.postProduct("/admin/pieces/new", heron("file", strings.Repeat("x", 33<<20)),
			w.here("curator")), 413},
		"edit any version":     {w.postProduct("/admin/pieces/1/edit", heron("tag", "*"), w.here("curator")), 400},
		"edit no version":      {w.postProduct("/admin/pieces/1/edit", heron(), w.here("curator")), 400},
		"edit nothing":         {w.postProduct("/admin/pieces/77/edit", heron("tag", `"0-1-a"`), w.here("curator")), 412},
		"edit no id":           {w.postProduct("/admin/pieces/x/edit", heron("tag", `"0-1-a"`), w.here("curator")), 404},
		"no multipart":         {w.post("/admin/pieces/1/edit", heron("tag", `"0-41-a"`), w.here("curator")), 415},
		"cut off":              {raw("--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nHer", multi), 400},
		"no boundary":          {raw("x", header("Content-Type", "multipart/form-data")), 415},
		"no parts":             {raw("", multi), 400},
		"a header without end": {raw("--b\r\nX: "+strings.Repeat("y", 12<<20), multi), 400},
	} {
		row.a.check(t, name, row.status, row.a.doc != nil, true)
	}
	check(t, "something was changed", len(w.products), 3, w.versions["1"], 0, w.uploads == nil, true)
}

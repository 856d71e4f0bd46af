package page_test

import (
	"testing"
)

func TestAProductIsEdited(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/admin/pieces/3/edit", w.here("curator"))
	want := map[string]string{
		"tag": `"0-1234567-a"`, "name": "Whale", "description": "A whale.", "difficulty": "", "folds": "8", "paper": "any",
		"maker": "<i>Me</i>", "instructions_url": "ftp://example.org/whale",
		"errors": "", "focus": "",
	}
	a.check(t, "the form", 200, filled(a), want)
	a = w.postProduct("/admin/pieces/1/edit", heron("tag", `"0-41-a"`), w.here("curator"))
	check(t, "the answer", a.header.Get("Location"), "/admin/pieces?done=saved&piece=1", w.products[0]["name"], "Heron",
		w.versions["1"], 1)
	a = w.postProduct("/admin/pieces/1/edit", heron("tag", `"1-41-a"`, "name", ""), w.here("curator"))
	a.check(t, "a broken edit", 422, filled(a)["tag"], `"1-41-a"`, filled(a)["focus"], "name")
	w.get("/admin/pieces/77/edit", w.here("curator")).check(t, "a product that is not there", 404)
}

// TestTwoCurators is a conflict and each way out of it.
func TestTwoCurators(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"whole", "htmx"} {
		t.Run(how, func(t *testing.T) {
			w := startWebsite(t)
			o := w.ways("/admin/pieces/1/edit")[how]
			first := heron("tag", `"0-41-a"`, "name", "<i>Theirs</i>", "paper", "washi", "difficulty", "advanced", "maker", "",
				"picture", "/static/origami/masu-box.svg")
			w.postProduct("/admin/pieces/1/edit", first, w.here("admin"))
			a := w.postProduct("/admin/pieces/1/edit", heron("tag", `"0-41-a"`), w.here("curator"), o)
			want := map[string]string{
				"tag": `"1-41-a"`, "name": "Heron", "description": "It stands. It waits.", "difficulty": "easy", "folds": "12",
				"paper": "any", "maker": "Ada", "instructions_url": "https://example.org/",
				"picture": "/static/origami/swan.svg", "errors": "", "focus": "conflict-heading",
				"theirs of name": "<i>Theirs</i>", "theirs of paper": "washi", "theirs of difficulty": "Advanced",
				"theirs of file": "Masu box",
			}
			a.check(t, "the conflict", 412, filled(a), want, len(a.tags("header")) == 0, how == "htmx",
				text(a.class("button")), "Save mine anyway", text(a.class("button-quiet")), "Use theirs",
				attr(a.class("button-quiet"), "href"), "/admin/pieces/1/edit", w.products[0]["name"], "<i>Theirs</i>")
			a = w.postProduct("/admin/pieces/1/edit", heron("tag", filled(a)["tag"]), w.here("curator"), o)
			check(t, "saving mine", a.header.Get("Location")+a.header.Get("HX-Redirect"), "/admin/pieces?done=saved&piece=1",
				w.products[0]["name"], "Heron")
		})
	}
}

func TestADoubleClickIsOneEdit(t *testing.T) {
	w := startWebsite(t)
	for range 2 {
		a := w.postProduct("/admin/pieces/1/edit", heron("tag", `"0-41-a"`), w.here("curator"))
		check(t, "the answer", a.header.Get("Location"), "/admin/pieces?done=saved&piece=1")
	}
	check(t, "the answer", w.versions["1"], 1)
}

// TestADoubleClickIsOneProduct: what one form adds it adds once, however often it is
// sent, also after it was refused. Another form adds another product.
func TestADoubleClickIsOneProduct(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"whole", "htmx"} {
		t.Run(how, func(t *testing.T) {
			w := startWebsite(t)
			o := w.ways("/admin/pieces/new")[how]
			key := keyOf(w.get("/admin/pieces/new", w.here("curator")))
			a := w.postProduct("/admin/pieces/new", heron("key", key, "name", ""), w.here("curator"), o)
			a.check(t, "refused", 422, keyOf(a), key, key != "", true)
			for range 2 {
				a := w.postProduct("/admin/pieces/new", heron("key", key), w.here("curator"), o)
				check(t, "added", a.header.Get("Location")+a.header.Get("HX-Redirect"), "/admin/pieces?done=added&piece=4")
			}
			a = w.postProduct("/admin/pieces/new", heron("key", key, "name", "Ibis"), w.here("curator"), o)
			const problem = "This form was sent before with other content, which was added. Send it again to add this piece too."
			a.check(t, "another product", 422, text(a.id("piece-problem")), problem, text(a.class("button")), "Add anyway",
				filled(a)["name"], "Ibis", filled(a)["focus"], "piece-problem", len(w.products), 4)
			w.postProduct("/admin/pieces/new", heron("key", keyOf(a), "name", "Ibis"), w.here("curator"), o)
			check(t, "with another key", len(w.products), 5, keyOf(a) == key, false)
		})
	}
}

// TestAProductDeletedMeanwhile holds that what was typed can become a new one.
func TestAProductDeletedMeanwhile(t *testing.T) {
	w := startWebsite(t)
	a := w.postProduct("/admin/pieces/77/edit", heron("tag", `"0-41-a"`), w.here("curator"))
	a.check(t, "the form", 412,
		attr(a.id("piece-form"), "action"), "/admin/pieces/new",
		text(a.class("button")), "Add as a new piece",
		filled(a)["name"], "Heron",
		filled(a)["tag"], "",
		filled(a)["focus"], "piece-problem",
		keyOf(a) != "", true)
}

package page_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAProductIsEdited(t *testing.T) {
	w := startWebsite(t)
	a := w.get("/admin/pieces/3/edit", w.here("curator"))
	want := map[string]string{
		"tag": `"0-1234567-a"`, "name": "Whale", "description": "A whale.", "difficulty": "", "folds": "8", "paper": "any",
		"errors": "", "focus": "",
	}
	if diff := cmp.Diff(filled(a), want); diff != "" {
		t.Errorf("%d (-got +want):\n%s", a.status, diff)
	}
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
	for how, isHtmx := range map[string]bool{"whole": false, "htmx": true} {
		t.Run(how, func(t *testing.T) {
			w := startWebsite(t)
			o := header("X", "y")
			if isHtmx {
				o = w.byHtmx("/admin/pieces/1/edit")
			}
			first := heron("tag", `"0-41-a"`, "name", "<i>Theirs</i>", "paper", "washi", "difficulty", "advanced", "picture",
				"/static/origami/masu-box.svg")
			w.postProduct("/admin/pieces/1/edit", first, w.here("admin"))
			a := w.postProduct("/admin/pieces/1/edit", heron("tag", `"0-41-a"`), w.here("curator"), o)
			want := map[string]string{
				"tag": `"1-41-a"`, "name": "Heron", "description": "It stands. It waits.", "difficulty": "easy", "folds": "12",
				"paper":   "any",
				"picture": "/static/origami/swan.svg", "errors": "", "focus": "conflict-heading",
				"theirs of name": "<i>Theirs</i>", "theirs of paper": "washi", "theirs of difficulty": "Advanced",
				"theirs of file": "Masu box",
			}
			if diff := cmp.Diff(filled(a), want); a.status != http.StatusPreconditionFailed || diff != "" ||
				(len(a.tags("header")) == 0) != isHtmx {
				t.Fatalf("%d (-got +want):\n%s", a.status, diff)
			}
			ways := []string{text(a.class("button")), text(a.class("button-quiet")), attr(a.class("button-quiet"), "href")}
			check(t, "ways out", ways, []string{"Save mine anyway", "Take theirs", "/admin/pieces/1/edit"})
			check(t, "theirs is lost", w.products[0]["name"], "<i>Theirs</i>")
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

// TestADoubleClickIsOnePiece: what one form adds it adds once, however often it is
// sent, also after it was refused. Another form adds another product.
func TestADoubleClickIsOneProduct(t *testing.T) {
	t.Parallel()
	for how, isHtmx := range map[string]bool{"whole": false, "htmx": true} {
		t.Run(how, func(t *testing.T) {
			w := startWebsite(t)
			o := header("X", "y")
			if isHtmx {
				o = w.byHtmx("/admin/pieces/new")
			}
			key := keyOf(w.get("/admin/pieces/new", w.here("curator")))
			a := w.postProduct("/admin/pieces/new", heron("key", key, "name", ""), w.here("curator"), o)
			if got := keyOf(a); got != key || key == "" {
				t.Fatalf("%d, key %q after %q", a.status, got, key)
			}
			for range 2 {
				a := w.postProduct("/admin/pieces/new", heron("key", key), w.here("curator"), o)
				if got := a.header.Get("Location") + a.header.Get("HX-Redirect"); got != "/admin/pieces?done=added&piece=4" {
					t.Errorf("%d to %q: %s", a.status, got, a.body)
				}
			}
			a = w.postProduct("/admin/pieces/new", heron("key", key, "name", "Ibis"), w.here("curator"), o)
			got := []string{text(a.id("piece-problem")), text(a.class("button")), filled(a)["name"], filled(a)["focus"]}
			want := []string{"This form has already added a piece, and it was not quite this one. Add it again if you want " +
				"both.", "Add it too", "Ibis", "piece-problem"}
			if diff := cmp.Diff(got, want); a.status != http.StatusUnprocessableEntity || diff != "" || len(w.products) != 4 {
				t.Errorf("%d, %d products (-got +want):\n%s", a.status, len(w.products), diff)
			}
			another := keyOf(a)
			w.postProduct("/admin/pieces/new", heron("key", another, "name", "Ibis"), w.here("curator"), o)
			if len(w.products) != 5 || another == key {
				t.Errorf("%d products, key %q after %q", len(w.products), another, key)
			}
		})
	}
}

// TestAPieceDeletedMeanwhile holds that what was typed can become a new one.
func TestAProductDeletedMeanwhile(t *testing.T) {
	w := startWebsite(t)
	a := w.postProduct("/admin/pieces/77/edit", heron("tag", `"0-41-a"`), w.here("curator"))
	got := []string{attr(a.id("piece-form"), "action"), text(a.class("button")), filled(a)["name"], filled(a)["tag"],
		filled(a)["focus"]}
	if diff := cmp.Diff(got, []string{"/admin/pieces/new", "Add it as a new piece", "Heron", "",
		"piece-problem"}); a.status != http.StatusPreconditionFailed || diff != "" || keyOf(a) == "" {
		t.Errorf("%d (-got +want):\n%s", a.status, diff)
	}
}

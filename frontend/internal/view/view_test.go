package view_test

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"craftista/frontend/internal/view"

	"github.com/a-h/templ"
	"golang.org/x/net/html"
)

// TestImports holds that components know templ and the standard library, and
// nothing of ours but their own view models.
func TestImports(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if path != "strings" && path != "github.com/a-h/templ" && path != "github.com/a-h/templ/runtime" {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
}

func render(t *testing.T, c templ.Component) (*html.Node, string) {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(strings.NewReader(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return doc, b.String()
}

func find(doc *html.Node, tag string) map[string]string {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			attrs := map[string]string{}
			for _, a := range n.Attr {
				attrs[a.Key] = a.Val
			}
			return attrs
		}
	}
	return nil
}

func TestVoteForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		voted  bool
		action string
		class  string
	}{{false, "/origamis/3/vote", "vote-button"}, {true, "/origamis/3/unvote", "vote-button voted"}} {
		doc, _ := render(t, view.VoteForm(view.Vote{ID: "3", Name: "Crane", Count: "42 votes", Voted: c.voted}))
		form, button := find(doc, "form"), find(doc, "button")
		if form["action"] != c.action || form["hx-post"] != c.action || form["method"] != "post" || form["id"] != "vote-3" {
			t.Errorf("voted %t: form %v", c.voted, form)
		}
		if button["id"] != "vote-button-3" || button["class"] != c.class {
			t.Errorf("voted %t: button %v", c.voted, button)
		}
	}
}

func TestAwaySections(t *testing.T) {
	t.Parallel()
	doc, text := render(t, view.PicksSection(view.Picks{Heading: "Picked for you", Unavailable: true}))
	if section := find(doc, "section"); section["id"] != "picks" || section["hx-get"] != "/recommendations" ||
		find(doc, "ul") != nil {
		t.Errorf("picks that are away: %s", text)
	}
	_, text = render(t, view.GalleryPage(view.Gallery{
		Front: view.Front{Today: view.Today{Unavailable: true}, Picks: view.Picks{Unavailable: true}},
		Grid:  view.Grid{Unavailable: true, RetryURL: "/?sort=name"},
	}))
	if !strings.Contains(text, `href="/?sort=name"`) || strings.Contains(text, `id="pieces"`) {
		t.Errorf("gallery that is away: %s", text)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for steps, want := range map[int]string{-1: "steps-0", 0: "steps-0", 1: "steps-1", 3: "steps-3", 9: "steps-3"} {
		if _, text := render(t, view.ProductPage(view.Product{Level: view.Level{Steps: steps}})); !strings.Contains(text,
			`"steps `+want+`"`) {
			t.Errorf("%d steps: no %s", steps, want)
		}
	}
}

// TestTraceLink holds that a template of another scheme links nothing.
func TestTraceLink(t *testing.T) {
	t.Parallel()
	_, text := render(t, view.Page(view.Frame{Trace: view.Trace{ID: "4bf9", URL: "javascript:alert(1)"}},
		templ.NopComponent))
	if strings.Contains(text, "javascript:") {
		t.Error("a script as a link")
	}
}

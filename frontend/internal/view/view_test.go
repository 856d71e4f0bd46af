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

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	if err := c.Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLevels(t *testing.T) {
	t.Parallel()
	for steps, want := range map[int]string{-1: "0", 0: "0", 1: "1", 3: "3", 9: "3"} {
		text := render(t, view.ProductPage(view.Product{Level: view.Level{Steps: steps}}))
		if !strings.Contains(text, `data-steps="`+want+`"`) {
			t.Errorf("%d steps: want %s lit", steps, want)
		}
	}
}

// TestTraceLink holds that a template of another scheme links nothing.
func TestTraceLink(t *testing.T) {
	t.Parallel()
	text := render(t, view.Page(view.Frame{Trace: view.Trace{ID: "4bf9", URL: "javascript:alert(1)"}},
		templ.NopComponent))
	if strings.Contains(text, "javascript:") {
		t.Error("a script as a link")
	}
}

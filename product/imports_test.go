package product_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	internalAPI    = "craftista/product/internal/api"
	infrastructure = "craftista/product/internal/infrastructure"
)

// TestImports keeps the layers apart: core imports the standard library, fault and
// the interface of traces only, api and infrastructure import core and not each other, and nobody imports
// a sibling service or, outside tests, the database module.
func TestImports(t *testing.T) {
	t.Parallel()
	var seen int
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		seen++
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			if !allowed(filepath.ToSlash(path), imported) {
				t.Errorf("%s must not import %s", path, imported)
			}
		}
		return nil
	})
	if err != nil || seen < 8 {
		t.Errorf("read %d files: %v", seen, err)
	}
}

func allowed(path, imported string) bool {
	first, _, _ := strings.Cut(imported, "/")
	ours := first == "craftista"
	switch {
	case ours && !strings.HasPrefix(imported+"/", "craftista/product/") &&
		!strings.HasPrefix(imported, "craftista/shared/"):
		return false
	case strings.HasPrefix(path, "internal/core/"):
		barred := []string{"net/http", "database/sql", "encoding/json"}
		standard := !ours && !strings.Contains(first, ".")
		outside := []string{"craftista/shared/fault", "go.opentelemetry.io/otel/trace"}
		return slices.Contains(outside, imported) || standard && !slices.Contains(barred, imported)
	case strings.HasPrefix(path, "internal/api/"):
		return !strings.HasPrefix(imported, infrastructure)
	case strings.HasPrefix(path, "internal/infrastructure/"):
		return imported != internalAPI
	default:
		return true
	}
}

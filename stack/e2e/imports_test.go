package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// TestModulesImportOnlyWhatTheyMay holds the rules of which module may import
// which, in code and in tests.
func TestModulesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ packages, code, tests string }{
		{"craftista/auth/...", "auth shared", "auth shared db"},
		{"craftista/product/...", "product shared", "product shared db"},
		{"craftista/recommendation/...", "recommendation shared", "recommendation shared db"},
		{"craftista/frontend/...", "frontend shared", "frontend shared"},
		{"craftista/shared/...", "shared", "shared db"},
		{"craftista/shared/fault", "", "shared"},
		{"craftista/db/...", "db shared", "db shared"},
	} {
		code := list(t, row.packages, `{{join .Imports "\n"}}`)
		tests := list(t, row.packages, `{{join .TestImports "\n"}}{{"\n"}}{{join .XTestImports "\n"}}`)
		for allowed, imports := range map[string][]string{row.code: code, row.tests + " ": tests} {
			for _, name := range imports {
				module, ours := strings.CutPrefix(name, "craftista/")
				module, _, _ = strings.Cut(module, "/")
				if ours && !contains(allowed, module) {
					t.Errorf("%s imports %s, and may import only: %s", row.packages, name, allowed)
				}
			}
		}
	}
}

// TestLayers holds what the layers of the JSON services may not import: the
// domain no transport and no storage, the HTTP face and the storage not each other.
func TestLayers(t *testing.T) {
	t.Parallel()
	const outside = "net/http database/sql encoding/json github.com/jmoiron/sqlx github.com/redis/go-redis/v9 "
	const auth, product = "craftista/auth/internal/", "craftista/product/internal/"
	const recommendation, infrastructure = "craftista/recommendation/internal/", product + "infrastructure/"
	const infrastructures = infrastructure + "postgres " + infrastructure + "cache " + infrastructure + "redis"
	for packages, barred := range map[string]string{
		auth + "account":             outside + auth + "api " + auth + "postgres",
		auth + "session":             outside + auth + "api " + auth + "postgres",
		auth + "api":                 "database/sql " + auth + "postgres",
		auth + "postgres":            "net/http " + auth + "api",
		product + "core":             outside + product + "api " + infrastructures,
		product + "api":              "database/sql " + infrastructures,
		infrastructure + "...":       "net/http " + product + "api",
		recommendation + "recommend": outside + recommendation + "api " + recommendation + "postgres",
		recommendation + "api":       "database/sql " + recommendation + "postgres",
		recommendation + "postgres":  "net/http " + recommendation + "api",
	} {
		for _, name := range list(t, packages, `{{join .Imports "\n"}}`) {
			if contains(barred, name) {
				t.Errorf("%s must not import %s", packages, name)
			}
		}
	}
}

func contains(words, word string) bool { return strings.Contains(" "+words+" ", " "+word+" ") }

func list(t *testing.T, pattern, format string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", format, pattern)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("list %s: %v\n%s", pattern, err, out)
	}
	return strings.Fields(string(out))
}

package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// TestModulesImportOnlyWhatTheyMay holds the rules of who may know whom.
func TestModulesImportOnlyWhatTheyMay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ of, code, tests string }{
		{"craftista/auth/...", "auth shared", "auth shared db"},
		{"craftista/product/...", "product shared", "product shared db"},
		{"craftista/recommendation/...", "recommendation shared", "recommendation shared db"},
		{"craftista/frontend/...", "frontend shared", "frontend shared"},
		{"craftista/shared/...", "shared", "shared db"},
		{"craftista/shared/fault", "", ""},
		{"craftista/db/...", "db shared", "db shared"},
	} {
		for _, imports := range []struct{ format, allowed string }{
			{`{{join .Imports "\n"}}`, row.code},
			{`{{join .TestImports "\n"}}{{"\n"}}{{join .XTestImports "\n"}}`, row.tests + " " + row.code},
		} {
			if row.of == "craftista/shared/fault" && imports.allowed != row.code {
				continue // its test imports it
			}
			for _, name := range list(t, row.of, imports.format) {
				if module, ours := strings.CutPrefix(name, "craftista/"); ours && !contains(imports.allowed, module) {
					t.Errorf("%s imports %s, and may import only: %s", row.of, name, imports.allowed)
				}
			}
		}
	}
}

func contains(allowed, pkg string) bool {
	module, _, _ := strings.Cut(pkg, "/")
	for _, a := range strings.Fields(allowed) {
		if a == module {
			return true
		}
	}
	return false
}

func list(t *testing.T, pattern, format string) []string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", format, pattern)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("list %s: %v\n%s", pattern, err, out)
	}
	return strings.Fields(string(out))
}

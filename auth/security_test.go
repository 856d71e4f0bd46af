package auth_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestEveryTestNamedInSecurityExists reads `package TestName` in SECURITY.md.
func TestEveryTestNamedInSecurityExists(t *testing.T) {
	t.Parallel()
	table, err := os.ReadFile("SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile("`([a-z0-9/]+) ((?:Test|Fuzz|Benchmark)[A-Za-z0-9]+)`")
	named := pattern.FindAllStringSubmatch(string(table), -1)
	if len(named) < 40 {
		t.Fatalf("%d tests named, want one for most items", len(named))
	}
	for _, name := range named {
		files, err := filepath.Glob(filepath.Join("..", name[1], "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			found = found || strings.Contains(string(text), "\nfunc "+name[2]+"(")
		}
		if !found {
			t.Errorf("there is no test %s in %s", name[2], name[1])
		}
	}
}

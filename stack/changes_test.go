package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestChangesOfAVersion prints one section of a CHANGES.md, and refuses versions that
// have none.
func TestChangesOfAVersion(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "CHANGES.md")
	const changes = `# Changes

Newest first.

## Next

- **Soon:** not released.

## 0.10 - 2026-12-01: ten

- **One:**
  two lines.

### Below

- Two.

## 0.1 - 2026-11-01: one

- First.
## 0.0.1

`
	if err := os.WriteFile(file, []byte(changes), 0o600); err != nil {
		t.Fatal(err)
	}
	for version, want := range map[string]string{
		"v0.10": "- **One:**\n  two lines.\n\n### Below\n\n- Two.\n",
		"0.1":   "- First.\n",
		"0.0.1": "", "0x10": "", "1": "", "v0.1.0": "", "v": "", "": "", "vv0.1": "",
	} {
		got, err := exec.CommandContext(t.Context(), "sh", "changes.sh", version, file).Output()
		if diff := cmp.Diff(want, string(got)); diff != "" || (err == nil) != (want != "") {
			t.Errorf("version %q: %v (-want +got):\n%s", version, err, diff)
		}
	}
	if _, err := exec.CommandContext(t.Context(), "sh", "changes.sh", "v0.1.0").Output(); err != nil {
		t.Errorf("of this project's CHANGES.md: %v", err)
	}
}

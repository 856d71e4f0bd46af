package picture_test

import (
	"os"
	"path/filepath"
	"testing"

	"craftista/product/internal/picture"
)

const drawings = "../../../frontend/static/origami"

// TestTheSitesOwnDrawingsPass: what the site draws, people may upload.
func TestTheSitesOwnDrawingsPass(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(drawings, "*.svg"))
	if err != nil || len(files) < 24 {
		t.Fatalf("found %d drawings: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			drawing, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := picture.Clean(drawing); err != nil {
				t.Error(err)
			}
		})
	}
}

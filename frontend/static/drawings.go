package static

import (
	"io/fs"
	"path"
	"strings"
)

// Drawings are the files of the gallery's own art: crane.svg and so on.
func Drawings() (fs.FS, error) { return fs.Sub(files, "origami") }

// DrawingNames are their names without .svg, in order. The slice is the caller's.
func DrawingNames() []string {
	names, _ := fs.Glob(files, "origami/*.svg") // the pattern is one
	for i, name := range names {
		names[i] = strings.TrimSuffix(path.Base(name), ".svg")
	}
	return names
}

package static

import (
	"io/fs"
	"slices"
	"strings"
)

// Drawings are the files of the gallery's own art: crane.svg and so on.
func Drawings() (fs.FS, error) { return fs.Sub(files, "origami") }

// DrawingNames are their names without .svg, in order. The slice is the caller's.
func (a *Assets) DrawingNames() []string {
	var names []string
	for file := range a.byName {
		if name, ok := strings.CutPrefix(file, "origami/"); ok {
			names = append(names, strings.TrimSuffix(name, ".svg"))
		}
	}
	slices.Sort(names)
	return names
}

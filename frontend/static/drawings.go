package static

import "io/fs"

// Drawings are the files of the gallery's own art: crane.svg and so on.
func Drawings() (fs.FS, error) { return fs.Sub(files, "origami") }

package static

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"strconv"
	"sync"
)

// Folder is where the assets are in the repository.
const Folder = "frontend/static"

// folder is a place of assets that somebody edits. It is safe for concurrent use.
type folder struct {
	fs.FS

	mu    sync.Mutex // guards the rest
	state string
	all   catalogue
}

// NewFolder returns the assets in dir as they are when they are asked for, for development. It is an error if there is
// no style in dir.
func NewFolder(dir string) (*Assets, error) {
	f := &folder{FS: os.DirFS(dir)}
	if f.current()["css/site.css"].hashed == "" {
		return nil, fmt.Errorf("there are no assets in %s: development needs the repository's root", dir)
	}
	return &Assets{f.current, f.stateNow}, nil
}

// current reads all anew if something has changed. What cannot be read, as in the middle of a change, stays as it was.
func (f *folder) current() catalogue {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.stateNow(); now != f.state {
		if all, err := read(f.FS); err == nil {
			f.all, f.state = all, now
		}
	}
	return f.all
}

// stateNow is another text if a file has changed, come or gone.
func (f *folder) stateNow() string {
	sum := fnv.New64a()
	_ = fs.WalkDir(f.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if info, err := entry.Info(); err == nil {
			_, _ = fmt.Fprintln(sum, name, info.Size(), info.ModTime().UnixNano())
		}
		return nil
	})
	return strconv.FormatUint(sum.Sum64(), 36)
}

package db

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
)

//go:embed *.go migrations seed
var sources embed.FS

// Fingerprint identifies what this build makes of an empty database: it changes with every migration, with the seed
// data, and with the code that applies them.
func Fingerprint() string {
	hash := sha256.New()
	// An embedded file cannot be unreadable, so there is no error to report.
	_ = fs.WalkDir(sources, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := sources.ReadFile(path)
		hash.Write([]byte(path))
		hash.Write(text)
		return err
	})
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

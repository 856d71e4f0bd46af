package embedded

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	library "github.com/fergusstrange/embedded-postgres"
)

// downloadMajor is the version fetched for a folder that holds no data yet.
const downloadMajor = 17

// download fetches one PostgreSQL, unless another process has done so meanwhile.
func download(ctx context.Context, c Config, as account, major int) (binaries, error) {
	version, err := releaseOf(major)
	if err != nil {
		return binaries{}, err
	}
	lock, err := openLock(c.binaries)
	if err != nil {
		return binaries{}, err
	}
	defer func() { _ = lock.Close() }() // nothing was written to it
	if err := as.enter(ctx, c.binaries); err != nil {
		return binaries{}, err
	}
	if err := awaitLock(ctx, lock); err != nil {
		return binaries{}, fmt.Errorf("wait for another download: %w", err)
	}
	wanted := binaries{dir: filepath.Join(c.binaries, strconv.Itoa(major), "bin"), major: major}
	if majorOf(ctx, wanted.path("postgres")) == major {
		return wanted, nil
	}
	c.Progress(fmt.Sprintf("downloading PostgreSQL %d (about 30 MB), once", major))
	scratch, err := os.MkdirTemp(c.binaries, "download-")
	if err != nil {
		return binaries{}, unwritable(c.binaries, err)
	}
	defer os.RemoveAll(scratch)
	extracted, err := fetch(ctx, c.repository, scratch, version)
	if err != nil {
		return binaries{}, err
	}
	err = filepath.WalkDir(extracted, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, as.own(path))
	})
	// Renamed last, so that a half-extracted folder is never taken for whole.
	if err := errors.Join(err, os.Rename(extracted, filepath.Dir(wanted.dir))); err != nil {
		return binaries{}, fmt.Errorf("install the download: %w", err)
	}
	return wanted, nil
}

// fetch downloads, verifies and extracts below scratch, and returns the extracted folder.
//
// The library has no way to fetch without starting, and its start cannot be used: it runs initdb as root. So it is
// given a data folder with nothing but a version: it then skips initdb, and pg_ctl, its last step, ends at once. What
// counts is whether the binaries are there afterwards.
func fetch(ctx context.Context, repository, scratch string, version library.PostgresVersion) (string, error) {
	major, _, _ := strings.Cut(string(version), ".")
	data, extracted := filepath.Join(scratch, "data"), filepath.Join(scratch, "postgres")
	err := errors.Join(os.Mkdir(data, 0o700), os.WriteFile(filepath.Join(data, "PG_VERSION"), []byte(major), 0o600))
	if err != nil {
		return "", fmt.Errorf("prepare the download: %w", err)
	}
	config := library.DefaultConfig().Version(version).Port(0).Logger(io.Discard).
		CachePath(scratch).RuntimePath(filepath.Join(scratch, "run")).DataPath(data).BinariesPath(extracted)
	if repository != "" {
		config = config.BinaryRepositoryURL(repository)
	}
	done := make(chan error, 1)
	go func() { done <- library.NewDatabase(config).Start() }()
	select {
	case err = <-done:
	case <-ctx.Done(): // the library cannot be interrupted; its goroutine ends with the download
		return "", fmt.Errorf("download PostgreSQL %s: %w", major, context.Cause(ctx))
	}
	if strconv.Itoa(majorOf(ctx, binaries{dir: filepath.Join(extracted, "bin")}.path("postgres"))) != major {
		return "", fmt.Errorf("no PostgreSQL is installed and downloading version %s did not work: "+
			"install PostgreSQL with the system's package manager, or name a database of your own (%w)", major, err)
	}
	return extracted, nil
}

func releaseOf(major int) (library.PostgresVersion, error) {
	for _, v := range []library.PostgresVersion{library.V18, library.V17, library.V16, library.V15, library.V14} {
		if strings.HasPrefix(string(v), strconv.Itoa(major)+".") {
			return v, nil
		}
	}
	return "", fmt.Errorf("the data was made by PostgreSQL %d, which is neither installed nor offered for download: "+
		"install it, or choose another folder", major)
}

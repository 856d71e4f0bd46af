package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// oldestMajor is the first version that has all that our SQL uses.
const oldestMajor = 14

// binaries are one PostgreSQL: where its programs are, and the major version, the part that data depends on.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(name string) string {
	return filepath.Join(b.dir, name)
}

// choose picks the binaries: those that the data in the folder was made with, if there is data, so that upgrading the
// machine never makes it seem lost; else the newest. If the machine lacks that version, it is downloaded.
func choose(ctx context.Context, c Config, as account) (binaries, error) {
	have := installed(ctx, c)
	if ctx.Err() != nil { // and then not all of them were found
		return binaries{}, fmt.Errorf("find PostgreSQL: %w", context.Cause(ctx))
	}
	var made []int
	if !c.Ephemeral {
		made = clusters(c.Dir)
	}
	for _, b := range have {
		if len(made) == 0 || slices.Contains(made, b.major) {
			return b, nil
		}
	}
	if len(made) == 0 {
		return download(ctx, c, as, downloadMajor)
	}
	return download(ctx, c, as, slices.Max(made))
}

// installed lists the PostgreSQL servers of this machine and those downloaded, the newest first.
func installed(ctx context.Context, c Config) []binaries {
	var found []binaries
	for _, dir := range binDirs(ctx, c) {
		b := binaries{dir: dir}
		if _, err := os.Stat(b.path("initdb")); err != nil {
			continue // a client-only installation
		}
		b.major = majorOf(ctx, b.path("postgres"))
		if b.major >= oldestMajor {
			found = append(found, b)
		}
	}
	slices.SortStableFunc(found, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	return found
}

func binDirs(ctx context.Context, c Config) []string {
	patterns := []string{filepath.Join(c.binaries, "*", "bin")}
	if c.repository == "" {
		patterns = append(patterns,
			"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
			"/usr/pgsql-*/bin",                                   // RHEL, Fedora with the PGDG packages
			"/usr/libexec/postgresql*",                           // Alpine
			"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew, Apple silicon
			"/usr/local/opt/postgresql*/bin",                     // Homebrew, Intel
			"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew, Linux
			"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
		)
	}
	var dirs []string
	for _, pattern := range patterns {
		matches, err := filepath.Glob(pattern)
		if err == nil {
			dirs = append(dirs, matches...)
		}
	}
	out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	if err == nil && c.repository == "" {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	return dirs
}

// majorOf asks the program itself, "postgres (PostgreSQL) 15.14 (Debian …)"; 0 means that it does not run here.
func majorOf(ctx context.Context, program string) (major int) {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscanf(string(out), "postgres (PostgreSQL) %d", &major)
	return major
}

// clusters lists the major versions that the folder holds data of.
func clusters(dir string) []int {
	var majors []int
	for major := oldestMajor; major < 100; major++ {
		if _, err := os.Stat(filepath.Join(dir, fmt.Sprint("postgres-", major), "data")); err == nil {
			majors = append(majors, major)
		}
	}
	return majors
}

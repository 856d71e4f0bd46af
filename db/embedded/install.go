package embedded

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// oldestMajor is the first version that has all that our SQL uses.
const oldestMajor = 14

// binaries are one PostgreSQL: where initdb and postgres are, and the major version, the part that data depends on.
type binaries struct {
	dir   string
	major int
}

func (b binaries) path(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(b.dir, name)
}

// choose picks the binaries: those that the data in the folder was made with, if there is data, so that upgrading the
// machine never makes it seem lost; else the newest. If the machine lacks that version, it is downloaded.
func choose(ctx context.Context, c Config, as account) (binaries, error) {
	have := downloaded(c.Binaries)
	if !c.Download {
		have = append(have, installed(ctx)...)
	}
	if ctx.Err() != nil { // and then none of them was found
		return binaries{}, fmt.Errorf("find PostgreSQL: %w", context.Cause(ctx))
	}
	slices.SortStableFunc(have, func(a, b binaries) int { return cmp.Compare(b.major, a.major) })
	made := clusters(c.Dir)
	if c.Ephemeral {
		made = nil
	}
	for _, b := range have {
		if len(made) == 0 || slices.Contains(made, b.major) {
			return b, nil
		}
	}
	if len(made) > 0 {
		return download(ctx, c, as, slices.Max(made))
	}
	return download(ctx, c, as, downloadMajor)
}

// installed lists the PostgreSQL servers of this machine.
func installed(ctx context.Context) []binaries {
	var found []binaries
	for _, dir := range binDirs(ctx) {
		b := binaries{dir: dir}
		if _, err := os.Stat(b.path("initdb")); err != nil {
			continue // a client-only installation
		}
		b.major = majorOf(ctx, b.path("postgres"))
		if b.major >= oldestMajor {
			found = append(found, b)
		}
	}
	return found
}

func binDirs(ctx context.Context) []string {
	var dirs []string
	for _, pattern := range []string{
		"/usr/lib/postgresql/*/bin",                          // Debian, Ubuntu
		"/usr/pgsql-*/bin",                                   // RHEL, Fedora with the PGDG packages
		"/usr/libexec/postgresql*",                           // Alpine
		"/opt/homebrew/opt/postgresql*/bin",                  // Homebrew, Apple silicon
		"/usr/local/opt/postgresql*/bin",                     // Homebrew, Intel
		"/home/linuxbrew/.linuxbrew/opt/postgresql*/bin",     // Homebrew, Linux
		"/Applications/Postgres.app/Contents/Versions/*/bin", // Postgres.app
		`C:\Program Files\PostgreSQL\*\bin`,
	} {
		matches, err := filepath.Glob(pattern)
		if err == nil {
			dirs = append(dirs, matches...)
		}
	}
	if out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	return dirs
}

// majorOf asks the program itself, "postgres (PostgreSQL) 15.14 (Debian …)"; 0 means that it does not run here.
func majorOf(ctx context.Context, program string) int {
	out, err := exec.CommandContext(ctx, program, "--version").Output()
	if err != nil {
		return 0
	}
	_, version, _ := strings.Cut(string(out), "(PostgreSQL) ")
	digits, _, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return major
}

// clusters lists the major versions that the folder holds data of.
func clusters(dir string) []int {
	return numbered(dir, "postgres-", "data")
}

func downloaded(dir string) []binaries {
	var found []binaries
	for _, major := range numbered(dir, "", "bin/postgres*") {
		found = append(found, binaries{dir: filepath.Join(dir, strconv.Itoa(major), "bin"), major: major})
	}
	return found
}

// numbered lists each N for which dir/<prefix>N/<inside> exists.
func numbered(dir, prefix, inside string) []int {
	var found []int
	for major := oldestMajor; major < 100; major++ {
		matches, err := filepath.Glob(filepath.Join(dir, fmt.Sprint(prefix, major), inside))
		if err == nil && len(matches) > 0 {
			found = append(found, major)
		}
	}
	return found
}

// Package build says which build of its program a process is.
package build

import (
	"cmp"
	"runtime/debug"
)

// The linker sets these:
//
//	go build -ldflags "-X craftista/shared/build.version=v1.2.3
//		-X craftista/shared/build.commit=1a2b3c4 -X craftista/shared/build.date=2026-11-29T12:00:00Z"
var version, commit, date string

// Info is one build.
type Info struct {
	Version string `json:"version"`            // such as v1.2.3; "dev" if the linker did not set it
	Commit  string `json:"commit,omitempty"`   // of git, in hex; "" if it is not known
	BuiltAt string `json:"built_at,omitempty"` // RFC 3339; of the commit if the linker did not set it
}

// Current is the build of this process: what the linker has set, else what go build found in the repository.
func Current() Info {
	found := map[string]string{}
	if binary, ok := debug.ReadBuildInfo(); ok {
		for _, s := range binary.Settings {
			found[s.Key] = s.Value
		}
	}
	return Info{
		Version: cmp.Or(version, "dev"),
		Commit:  cmp.Or(commit, found["vcs.revision"]),
		BuiltAt: cmp.Or(date, found["vcs.time"]),
	}
}

// String is for people: v1.2.3 (1a2b3c4, 2026-11-29).
func (i Info) String() string {
	text := i.Version
	if i.Commit != "" {
		text += " (" + i.Commit[:min(7, len(i.Commit))]
		if i.BuiltAt != "" {
			text += ", " + i.BuiltAt[:min(len("2026-11-29"), len(i.BuiltAt))]
		}
		text += ")"
	}
	return text
}

package e2e

import (
	"net/http"
	"strings"
	"testing"
)

// TestBuildSaysWhatTheLinkerSet needs no database.
func TestBuildSaysWhatTheLinkerSet(t *testing.T) {
	t.Parallel()
	const stamp = "-X craftista/shared/build.version=v1.2.3 -X craftista/shared/build.commit=1a2b3c4 " +
		"-X craftista/shared/build.date=2026-11-29T12:00:00Z"
	binary := build(t, "craftista/recommendation/cmd/recommendation", "-ldflags", stamp)
	p := run(t, binary, "ADDR=127.0.0.1:0", "DATABASE_URL=postgres://nobody@127.0.0.1:1/nothing")
	got := do(t, http.DefaultClient, get(t, p.url+"/health"))
	const want = `"version":"v1.2.3","commit":"1a2b3c4","built_at":"2026-11-29T12:00:00Z"`
	if !strings.Contains(got.Body, want) {
		t.Errorf("got %s, want %s", got.Body, want)
	}
}

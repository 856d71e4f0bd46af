package composetest

import (
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestAnyStartsLast stops the whole, each part within its grace period, and starts one of them after all others: in
// the end all is well, and nothing had to be started twice.
func TestAnyStartsLast(t *testing.T) {
	needsContainers(t)
	byService := map[string][]string{}
	var all []string
	for _, c := range containers(t) {
		if c.runs() {
			byService[c.service()] = append(byService[c.service()], c.ID)
			all = append(all, c.ID)
		}
	}
	for last, late := range byService {
		t.Run(last, func(t *testing.T) {
			wantNoRestarts(t, all...)
			docker(t, slices.Concat([]string{"stop"}, all)...)
			for _, c := range inspect(t, all...) {
				own := slices.Contains(services, c.service())
				if c.State.ExitCode == 137 || own && c.State.ExitCode != 0 { // 137 is killed
					t.Errorf("%s ends with %d", c.Name, c.State.ExitCode)
				}
			}
			early := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(late, id) })
			docker(t, slices.Concat([]string{"start"}, early)...)
			awaitChecks(t, time.Time{}, early...)
			docker(t, slices.Concat([]string{"start"}, late)...)
			awaitHealthy(t, all...)
			wantNoRestarts(t, all...)
			name, jar := register(t)
			v := &voter{name: name, client: &http.Client{Jar: jar, CheckRedirect: noRedirect}, next: 1, vote: voteByForm}
			if err := v.change(); err != nil {
				t.Errorf("a vote: %v", err)
			}
			eventually(t, "the gallery is whole", func() bool {
				return read(v.client, published("SITE_PORT")+"/", wholeGallery...) == nil
			})
		})
	}
}

// TestHealthChecksAreQuiet: an idle service says nothing about them.
func TestHealthChecksAreQuiet(t *testing.T) {
	needsContainers(t)
	began := time.Now()
	own := ids(t, services...)
	awaitHealthy(t, own...)
	awaitChecks(t, began, own...)
	awaitChecks(t, time.Now(), own...)
	for _, id := range own {
		logs, err := exec.CommandContext(t.Context(), "docker", "logs", "--since", began.Format(time.RFC3339Nano), id).
			CombinedOutput()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(logs)) {
			if strings.Contains(line, "readyz") || strings.Contains(line, "livez") {
				t.Errorf("a line for a health check: %s", line)
			}
		}
	}
}

// awaitChecks waits until each container's health was asked for since then, and since it started.
func awaitChecks(t *testing.T, then time.Time, ids ...string) {
	t.Helper()
	eventually(t, "the health of all was asked for", func() bool {
		return !slices.ContainsFunc(inspect(t, ids...), func(c container) bool {
			checks := c.State.Health.Log
			return len(checks) == 0 || checks[len(checks)-1].Start.Before(then) ||
				checks[len(checks)-1].Start.Before(c.State.StartedAt)
		})
	})
}

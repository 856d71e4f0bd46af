package composetest

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestMemoryIsEnough for a short load with many listeners: nothing is killed. It logs the most that was seen.
func TestMemoryIsEnough(t *testing.T) {
	needsContainers(t)
	ids := strings.Fields(compose(t, "ps", "--quiet"))
	load := exec.CommandContext(t.Context(), "go", "run", "../load")
	load.Env = append(os.Environ(), "RATE=5", "DURATION=30s", "LISTENERS=2000",
		"URL="+published("SITE_PORT"), "AUTH_URL="+published("AUTH_PORT"), "PRODUCT_URL="+published("PRODUCT_PORT"))
	most, usage := map[string]float64{}, map[string]string{}
	ended := make(chan error, 1)
	var printed []byte
	go func() {
		var err error
		printed, err = load.CombinedOutput()
		ended <- err
	}()
	for done := false; !done; {
		select {
		case err := <-ended:
			if done = true; err != nil {
				t.Errorf("the load: %v\n%s", err, printed)
			}
		default:
			args := slices.Concat([]string{"stats", "--no-stream", "--format", "{{.MemPerc}} {{.Name}} {{.MemUsage}}"}, ids)
			for line := range strings.Lines(docker(t, args...)) {
				var percent float64
				var name string
				if _, err := fmt.Sscanf(line, "%f%% %s", &percent, &name); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				if percent >= most[name] {
					most[name], usage[name] = percent, strings.TrimSpace(line)
				}
			}
		}
	}
	for _, line := range usage {
		t.Log(line)
	}
	wantNoRestarts(t, ids...)
}

// wantNoRestarts fails the test if the engine started one of the containers again by itself.
func wantNoRestarts(t *testing.T, ids ...string) {
	t.Helper()
	for _, c := range inspect(t, ids...) {
		c.wantNoRestart(t)
	}
}

func (c container) wantNoRestart(t *testing.T) {
	t.Helper()
	if c.RestartCount != 0 || c.State.OOMKilled {
		t.Errorf("%s was restarted %d times, killed for its memory: %t", c.Name, c.RestartCount, c.State.OOMKilled)
	}
}

// Package composetest looks at the containers of docker-compose.yml, and breaks them while people use them. check.sh
// starts them first. The same people use a cluster that stack/kubetest starts.
package composetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
)

// services are the project's own that run all the time, each with two replicas.
var services = []string{"auth", "product", "recommendation", "frontend"}

// needsContainers skips the test where check.sh has started none.
func needsContainers(t *testing.T) {
	t.Helper()
	if os.Getenv("COMPOSE_CHECK") == "" {
		t.Skip("make compose-check starts what this test is about")
	}
}

// published is the URL of the port that the setting names, or where the setting of that name in …_URL says.
func published(setting string) string {
	return cmp.Or(os.Getenv(strings.TrimSuffix(setting, "PORT")+"URL"), "http://localhost:"+os.Getenv(setting))
}

// container is what the engine says about one, as far as tests ask.
type container struct {
	ID, Name, Image string
	RestartCount    int
	State           struct {
		Status    string
		ExitCode  int
		OOMKilled bool
		StartedAt time.Time
		Health    struct {
			Status string
			Log    []struct{ Start time.Time }
		}
	}
	Config struct {
		Env    []string
		Labels map[string]string
	}
	HostConfig struct {
		ReadonlyRootfs bool
		SecurityOpt    []string
		CapDrop        []string
		Memory         int64 // bytes; 0 is no limit
	}
	Mounts          []struct{ Name, Destination string }
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string }
	}
}

func (c container) service() string { return c.Config.Labels["com.docker.compose.service"] }

// runs reports whether the container is not one that ends when its work is done.
func (c container) runs() bool {
	return !slices.Contains([]string{"secrets", "migrate", "seed"}, c.service())
}

// docker runs the command and returns what it printed.
func docker(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "docker", args...)
	command.Dir = "../.." // of docker-compose.yml
	out, err := command.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("docker %s: %v\n%s", strings.Join(args, " "), err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// compose is docker compose of the project that check.sh names.
func compose(t *testing.T, args ...string) string {
	t.Helper()
	return docker(t, slices.Concat([]string{"compose"}, args)...)
}

// ids are those of the containers of these services, or of all, whether or not they run.
func ids(t *testing.T, services ...string) []string {
	t.Helper()
	found := strings.Fields(compose(t, slices.Concat([]string{"ps", "--all", "--quiet"}, services)...))
	if len(found) == 0 {
		t.Fatalf("no container of %q", services)
	}
	return found
}

func containers(t *testing.T, services ...string) []container {
	t.Helper()
	return inspect(t, ids(t, services...)...)
}

func inspect(t *testing.T, ids ...string) (found []container) {
	t.Helper()
	if err := json.Unmarshal([]byte(docker(t, slices.Concat([]string{"inspect"}, ids)...)), &found); err != nil {
		t.Fatal(err)
	}
	return found
}

// awaitHealthy waits until these containers run and say that they are well.
func awaitHealthy(t *testing.T, ids ...string) {
	t.Helper()
	eventually(t, "all are healthy", func() bool {
		return !slices.ContainsFunc(inspect(t, ids...), func(c container) bool {
			return c.State.Status != "running" || c.State.Health.Status != "healthy"
		})
	})
}

// eventually polls until the condition holds, and fails the test if that takes longer than on a busy machine.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	const timeout = 5 * time.Minute
	for end := time.Now().Add(timeout); !holds(); <-ticker.C {
		if time.Now().After(end) {
			t.Fatalf("not so after %s: %s", timeout, what)
		}
	}
}

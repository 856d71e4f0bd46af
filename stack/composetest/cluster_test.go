package composetest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// needsCluster skips the test where stack/kubetest has started none.
func needsCluster(t *testing.T) {
	t.Helper()
	if os.Getenv("KUBE_CHECK") == "" {
		t.Skip("make kube-check starts what this test is about")
	}
}

// kubectl runs the command in the services' namespace and returns what it printed.
func kubectl(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "kubectl", slices.Concat([]string{"--namespace=craftista"}, args)...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("kubectl %s: %v\n%s", strings.Join(args, " "), err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// rolledOut waits until the deployments have as many ready replicas as they should, and those that went have ended.
func rolledOut(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		kubectl(t, "", "rollout", "status", "deployment/"+name, "--timeout=5m")
		eventually(t, name+"'s pods that go have ended", func() bool {
			return kubectl(t, "", "get", "pod", "--selector=app.kubernetes.io/name="+name,
				"--output=jsonpath={.items[*].metadata.deletionTimestamp}") == ""
		})
	}
}

// pod is the name of one of the service's that runs; call it when none goes.
func pod(t *testing.T, service string) string {
	t.Helper()
	return kubectl(t, "", "get", "pod", "--selector=app.kubernetes.io/name="+service,
		"--field-selector=status.phase=Running", "--output=jsonpath={.items[0].metadata.name}")
}

// TestClusterRestarts: nobody notices a rolling restart, the eviction of a pod, a rotation of the keys or a Redis that
// starts anew.
func TestClusterRestarts(t *testing.T) {
	needsCluster(t)
	tr, stop := startTraffic(t)
	for _, service := range services {
		tr.during(t, "rolling restart of "+service, nil, func() {
			kubectl(t, "", "rollout", "restart", "deployment/"+service)
			rolledOut(t, service)
		})
		tr.during(t, "eviction of a pod of "+service, nil, func() {
			name := pod(t, service)
			kubectl(t, `{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "`+name+`"}}`,
				"create", "--raw", "/api/v1/namespaces/craftista/pods/"+name+"/eviction", "--filename=-")
			kubectl(t, "", "wait", "--for=delete", "pod/"+name, "--timeout=2m")
			rolledOut(t, service)
		})
	}
	tr.during(t, "rotation of the keys", nil, func() {
		kubectl(t, "", "create", "job", "--from=cronjob/rotate-keys", "rotate-now")
		kubectl(t, "", "wait", "--for=condition=Complete", "job/rotate-now", "--timeout=5m")
		kubectl(t, "", "delete", "job", "rotate-now")
	})
	tr.during(t, "restart of Redis", nil, func() {
		kubectl(t, "", "delete", "pod", pod(t, "redis"))
		rolledOut(t, "redis")
	})
	stop()
}

// TestClusterLosesPods kills a pod of each service with what it was doing: that may fail, and no vote that was
// acknowledged is lost.
func TestClusterLosesPods(t *testing.T) {
	needsCluster(t)
	tr, stop := startTraffic(t)
	for _, service := range services {
		tr.during(t, "kill of a pod of "+service, func(error) bool { return true }, func() {
			kubectl(t, "", "delete", "pod", pod(t, service), "--grace-period=0", "--force")
			rolledOut(t, service)
		})
	}
	eventually(t, "every request succeeds again", func() bool {
		tr.goOn(t)
		return tr.takeFailures() == nil
	})
	stop()
}

// TestClusterUpgrades applies the next release, which brings a migration, and goes back without taking that back: old
// and new run together on the new schema, and nobody notices.
func TestClusterUpgrades(t *testing.T) {
	needsCluster(t)
	manifests, err := os.ReadFile(os.Getenv("MANIFESTS"))
	if err != nil {
		t.Fatal(err)
	}
	version, next := cmp.Or(os.Getenv("VERSION"), "dev"), cmp.Or(os.Getenv("NEXT"), "next")
	tr, stop := startTraffic(t)
	tr.during(t, "upgrade", nil, func() {
		kubectl(t, "", "delete", "job", "migrate", "seed")
		kubectl(t, strings.ReplaceAll(string(manifests), ":"+version+"\n", ":"+next+"\n"), "apply", "--filename=-")
		rolledOut(t, services...)
		kubectl(t, "", "wait", "--for=condition=Complete", "job/migrate", "--timeout=5m")
	})
	for _, port := range []string{"AUTH_PORT", "PRODUCT_PORT", "RECOMMENDATION_PORT", "SITE_PORT"} {
		_, body := send(t, http.DefaultClient, request(t, http.MethodGet, published(port)+"/health", nil))
		if want := cmp.Or(os.Getenv("NEXT"), "next"); !strings.Contains(body, `"`+want+`"`) {
			t.Errorf("%s says after the upgrade: %s, want %s", port, body, want)
		}
	}
	tr.during(t, "rollback", nil, func() {
		for _, service := range services {
			kubectl(t, "", "rollout", "undo", "deployment/"+service)
		}
		rolledOut(t, services...)
	})
	stop()
}

// TestClusterPolicies tries every way from each sort of pod to each service, with a client of that sort.
func TestClusterPolicies(t *testing.T) {
	needsCluster(t)
	image := kubectl(t, "", "get", "deployment", "recommendation",
		"--output=jsonpath={.spec.template.spec.containers[0].image}")
	for from, may := range map[string][]string{
		"frontend":       {"auth", "product", "recommendation"},
		"auth":           {"postgres", "product"},
		"product":        {"auth", "postgres", "redis"},
		"recommendation": {"auth", "postgres"},
		"redis":          nil,
		"stranger":       nil,
	} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			name := "client-of-" + from
			kubectl(t, client(t, name, from, image), "apply", "--filename=-")
			var got []string
			// Policies may take a moment to know a pod, which tries again until then.
			eventually(t, name+" has tried", func() bool {
				tried, reached := attempts(t, name)
				got = reached
				return tried && len(reached) >= len(may)
			})
			if !slices.Equal(got, may) {
				t.Errorf("%s reaches %q, want %q", from, got, may)
			}
			kubectl(t, "", "delete", "pod", name, "--now")
		})
	}
}

// client is a pod with the labels of that service, each of whose containers tries to reach one other.
func client(t *testing.T, name, from, image string) string {
	t.Helper()
	var containers []any
	for target, port := range map[string]int{
		"auth": 8082, "product": 8000, "recommendation": 8080, "frontend": 3000, "postgres": 5432, "redis": 6379,
	} {
		containers = append(containers, map[string]any{
			"name": target, "image": image, "args": []string{"healthcheck", fmt.Sprintf("http://%s:%d/livez", target, port)},
			"terminationMessagePolicy": "FallbackToLogsOnError",
			"securityContext": map[string]any{
				"allowPrivilegeEscalation": false, "capabilities": map[string]any{"drop": []string{"ALL"}},
			},
		})
	}
	pod, err := json.Marshal(map[string]any{
		"apiVersion": "v1", "kind": "Pod",
		"metadata": map[string]any{"name": name, "labels": map[string]string{"app.kubernetes.io/name": from}},
		"spec": map[string]any{
			"restartPolicy": "OnFailure", "automountServiceAccountToken": false, "containers": containers,
			"securityContext": map[string]any{
				"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": map[string]string{"type": "RuntimeDefault"},
			},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(pod)
}

// attempts tells whether each container of the client has tried twice, or reached its target, and which did, in order.
func attempts(t *testing.T, name string) (tried bool, reached []string) {
	t.Helper()
	type state struct {
		Terminated *struct {
			ExitCode int
			Message  string
		}
	}
	var pod struct {
		Status struct {
			ContainerStatuses []struct {
				Name             string
				RestartCount     int
				State, LastState state
			}
		}
	}
	if err := json.Unmarshal([]byte(kubectl(t, "", "get", "pod", name, "--output=json")), &pod); err != nil {
		t.Fatal(err)
	}
	tried = len(pod.Status.ContainerStatuses) > 0
	for _, c := range pod.Status.ContainerStatuses {
		ended := cmp.Or(c.State.Terminated, c.LastState.Terminated)
		// Whoever reaches a store is told that it speaks no HTTP.
		if ended != nil && (ended.ExitCode == 0 ||
			!strings.Contains(ended.Message, "dial tcp") && !strings.Contains(ended.Message, "deadline exceeded")) {
			reached = append(reached, c.Name)
		} else if ended == nil || c.RestartCount < 1 {
			tried = false
		}
	}
	slices.Sort(reached)
	return tried, reached
}

// TestClusterScales: product gets replicas when it has much to do, and loses them after. Much is a fifth of what a
// replica requests here, as a busy machine gives no more.
func TestClusterScales(t *testing.T) {
	needsCluster(t)
	replicas := func() string {
		return kubectl(t, "", "get", "hpa", "product", "--output=jsonpath={.status.desiredReplicas}")
	}
	limit := func(percent string) {
		kubectl(t, "", "patch", "hpa", "product", "--type=json",
			`--patch=[{"op": "replace", "path": "/spec/metrics/0/resource/target/averageUtilization", "value": `+percent+`}]`)
	}
	least := kubectl(t, "", "get", "hpa", "product", "--output=jsonpath={.spec.minReplicas}")
	eventually(t, "product has the least replicas", func() bool { return replicas() == least })
	limit("20")
	done := make(chan struct{})
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					res, err := http.Get(published("PRODUCT_PORT") + "/api/products?limit=24")
					if err == nil {
						_ = res.Body.Close()
					}
				}
			}
		})
	}
	eventually(t, "product has more replicas", func() bool { return replicas() > least })
	close(done)
	all.Wait()
	eventually(t, "product has the least replicas again", func() bool { return replicas() == least })
	limit("200")
}

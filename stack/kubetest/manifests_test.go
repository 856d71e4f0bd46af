// Package kubetest holds deploy/kubernetes to its rules. check.sh here puts it into a cluster.
package kubetest

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"
)

const kustomize = "sigs.k8s.io/kustomize/kustomize/v5@v5.8.1"

// object is a manifest.
type object map[string]any

// at is what is at the path, nil if there is nothing; a number is an index.
func (o object) at(path string) (found any) {
	found = o
	for name := range strings.SplitSeq(path, "/") {
		switch here := found.(type) {
		case object:
			found = here[name]
		case []any:
			found = here[int(name[0]-'0')]
		default:
			return nil
		}
	}
	return found
}

func (o object) name() string { return o.at("kind").(string) + " " + o.at("metadata/name").(string) }

// build is the overlay as kubectl would apply it.
func build(t *testing.T, overlay string) (all []object) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../deploy/kubernetes")); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "sh", filepath.Join(dir, "secrets.sh"), filepath.Join(dir, overlay)).
		CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), "go", "run", kustomize, "build", filepath.Join(dir, overlay))
	cmd.Env = append(os.Environ(), "GOWORK=off")
	out, err := cmd.Output()
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		t.Fatalf("%v\n%s", err, failed.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	documents := yaml.NewDecoder(bytes.NewReader(out))
	for {
		var o object
		err := documents.Decode(&o)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
}

// TestManifests: each pod has no right that it does not need, and each service can lose one.
func TestManifests(t *testing.T) {
	t.Parallel()
	for overlay, lacks := range map[string]string{"local": "ExternalSecret auth", "production": "Secret auth"} {
		t.Run(overlay, func(t *testing.T) {
			t.Parallel()
			all := build(t, overlay)
			var names []string
			for _, o := range all {
				names = append(names, o.name())
				if o.at("kind") != "Namespace" && o.at("metadata/namespace") != "craftista" {
					t.Errorf("%s is in the namespace %v", o.name(), o.at("metadata/namespace"))
				}
				template := map[any]string{"CronJob": "spec/jobTemplate/spec/template/spec/"}[o.at("kind")]
				if template == "" {
					template = "spec/template/spec/"
				}
				if o.at(template+"containers") != nil {
					wantRestricted(t, o, template)
				}
			}
			for _, service := range []string{"auth", "frontend", "product", "recommendation"} {
				for _, kind := range []string{"PodDisruptionBudget ", "HorizontalPodAutoscaler "} {
					if !slices.Contains(names, kind+service) {
						t.Errorf("there is no %s%s", kind, service)
					}
				}
				o := all[slices.Index(names, "Deployment "+service)]
				for _, path := range []string{
					"topologySpreadConstraints", "containers/0/startupProbe", "containers/0/readinessProbe",
					"containers/0/livenessProbe", "containers/0/lifecycle/preStop/sleep",
				} {
					if o.at("spec/template/spec/"+path) == nil {
						t.Errorf("%s has no %s", o.name(), path)
					}
				}
			}
			if slices.Contains(names, lacks) || !slices.Contains(names, "NetworkPolicy nobody") {
				t.Errorf("these are %q", names)
			}
		})
	}
}

func wantRestricted(t *testing.T, o object, pod string) {
	t.Helper()
	container := pod + "containers/0/"
	for path, want := range map[string]any{
		pod + "automountServiceAccountToken":                   false,
		pod + "enableServiceLinks":                             false,
		pod + "securityContext/runAsNonRoot":                   true,
		pod + "securityContext/seccompProfile/type":            "RuntimeDefault",
		container + "securityContext/readOnlyRootFilesystem":   true,
		container + "securityContext/allowPrivilegeEscalation": false,
		container + "securityContext/capabilities/drop/0":      "ALL",
		container + "resources/limits/cpu":                     nil, // it would stop what is waited for
	} {
		if got := o.at(path); got != want {
			t.Errorf("%s: %s is %v, want %v", o.name(), path, got, want)
		}
	}
	for _, path := range []string{"resources/requests/cpu", "resources/requests/memory", "resources/limits/memory"} {
		if o.at(container+path) == nil {
			t.Errorf("%s has no %s", o.name(), path)
		}
	}
	image, _ := o.at(container + "image").(string)
	if !strings.Contains(image, ":") || strings.HasSuffix(image, ":latest") {
		t.Errorf("%s runs %q, which may be anything", o.name(), image)
	}
}

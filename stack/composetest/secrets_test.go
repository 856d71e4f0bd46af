package composetest

import (
	"slices"
	"strings"
	"testing"
)

// readable prints each file below the folders of secrets that may be read, and of a database's URL whose it is.
const readable = `find /run/secrets -type f 2>/dev/null | while read -r file; do
	[ -r "$file" ] || continue
	case $file in
	*/database_url) echo "$file:$(sed 's/:[^:]*@.*//' "$file")" ;;
	*) echo "$file" ;;
	esac
done`

// TestSecretsAreApart reads, as the user of the services, what each container mounts: as it was installed, and with
// another mode of the volumes' roots, since whoever mounts a volume may change that.
func TestSecretsAreApart(t *testing.T) {
	needsContainers(t)
	const folder, database = "/run/secrets/", "/run/secrets/database_url:postgres://"
	want := map[string][]string{
		"auth":           {database + "craftista_auth", folder + "internal_api_key", folder + "keys_secret"},
		"frontend":       {folder + "internal_api_key"},
		"product":        {database + "craftista_product"},
		"recommendation": {database + "craftista_recommendation"},
		"migrate": {
			folder + "auth_db_password", database + "postgres", folder + "product_db_password",
			folder + "recommendation_db_password",
		},
		"postgres": {folder + "postgres_password"},
	}
	want["seed"] = want["migrate"]
	for _, mode := range []string{"", "0777", "0755"} {
		for _, c := range containers(t) {
			if c.service() == "secrets" { // which makes them, with all at hand, and ends
				continue
			}
			if mode != "" && want[c.service()] == nil {
				continue
			}
			if mode != "" {
				asUser(t, "root", c, "chmod "+mode+" /run/secrets")
			}
			got := strings.Fields(asUser(t, "65532:65532", c, readable))
			slices.Sort(got)
			if !slices.Equal(got, want[c.service()]) {
				t.Errorf("%s, mode %q, can read %q, want %q", c.Name, mode, got, want[c.service()])
			}
		}
	}
}

// TestSecretsAreInNoEnvironment, where docker inspect shows them.
func TestSecretsAreInNoEnvironment(t *testing.T) {
	needsContainers(t)
	for _, c := range containers(t) {
		for _, setting := range c.Config.Env {
			name, value, _ := strings.Cut(setting, "=")
			if !strings.HasSuffix(name, "_FILE") && (strings.Contains(name, "PASSWORD") || strings.Contains(name, "KEY") ||
				strings.Contains(value, "@") && name != "MAIL_FROM") {
				t.Errorf("%s has %s in its environment", c.Name, name)
			}
		}
	}
}

// asUser runs a script with the container's volumes, and with a shell, which the services' own images lack. root may
// write to the secrets, as whoever mounts them may, where the container itself may not.
func asUser(t *testing.T, user string, c container, script string) string {
	t.Helper()
	volumes := []string{"--volumes-from", c.ID}
	for _, m := range c.Mounts {
		if user == "root" && m.Destination == "/run/secrets" {
			volumes = []string{"--volume", m.Name + ":" + m.Destination}
		}
	}
	args := append([]string{"run", "--rm", "--network", "none", "--user", user}, volumes...)
	return docker(t, append(args, "--entrypoint", "/bin/sh", containers(t, "postgres")[0].Image, "-c", script)...)
}

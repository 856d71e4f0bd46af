package e2e

import (
	"bufio"
	"html"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"

	"github.com/google/go-cmp/cmp"
)

// needsMore are the operations without a command: an application sends a person's browser to them, or they take the
// token that it then gets, or that of a mail;
// or they would end the account that the others use.
var needsMore = map[string][]string{
	"auth": {
		"post-api-auth-me-delete", "post-api-auth-password-reset", "post-api-auth-email-confirm",
		"get-oauth2-authorize", "post-oauth2-authorize", "post-oauth2-consent", "post-oauth2-decision",
		"get-oauth2-userinfo", "post-oauth2-userinfo", "get-oauth2-logout", "post-oauth2-logout",
	},
	"frontend": {"get-authorize", "post-authorize", "post-reset", "post-confirm", "post-account-delete"},
}

var (
	credentialsBlock = regexp.MustCompile(`(?s)<pre class="credentials"><code>(.*?)</code></pre>`)
	operationBlock   = regexp.MustCompile(`(?s)<section id="((?:get|post|put|delete)[^"]*)">(.*?)</section>`)
	exampleBlock     = regexp.MustCompile(`(?s)<pre class="example"><code>(.*?)</code></pre>`)
)

// TestDocumentedCommandsWork copies the commands of each service's page into a shell.
func TestDocumentedCommandsWork(t *testing.T) {
	t.Parallel()
	var adminURL string
	s := stacktest.Start(t, func(c *local.Config) { adminURL = c.DatabaseURL })
	db := openDatabase(t, adminURL)
	stacktest.CheapenPasswords(t, db)
	// The commands delete pieces, and a deleted piece of the day is none.
	const chooseDays = `
		INSERT INTO recommendation.daily (day, product_id)
		SELECT (now() AT TIME ZONE 'UTC')::date + n, 1 FROM generate_series(0, 1) AS n`
	if _, err := db.ExecContext(t.Context(), chooseDays); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	here := strings.NewReplacer(
		"http://localhost:3000", s.URLs["frontend"], "http://localhost:8082", s.URLs["auth"],
		"http://localhost:8000", s.URLs["product"], "http://localhost:8080", s.URLs["recommendation"],
		"~/.cache/craftista", filepath.Dir(s.KeyFile), "go run", "go run -C "+root)
	for _, service := range []string{"auth", "product", "recommendation", "frontend"} {
		page := do(t, http.DefaultClient, get(t, s.URLs[service]+"/docs")).Body
		var credentials, without []string
		for _, block := range credentialsBlock.FindAllStringSubmatch(page, -1) {
			credentials = append(credentials, here.Replace(html.UnescapeString(block[1])))
		}
		for _, operation := range operationBlock.FindAllStringSubmatch(page, -1) {
			example := exampleBlock.FindStringSubmatch(operation[2])
			if example == nil {
				without = append(without, operation[1])
				continue
			}
			commands := here.Replace(html.UnescapeString(example[1]))
			t.Run(service+" "+operation[1], func(t *testing.T) {
				status := inShell(t, append(needed(credentials, commands), commands))
				if status < "200" || status > "299" && status != "303" {
					t.Errorf("status %s of\n%s", status, commands)
				}
			})
		}
		if diff := cmp.Diff(needsMore[service], without); diff != "" {
			t.Errorf("operations of %s without a command (-want +got):\n%s", service, diff)
		}
	}
}

// needed are the credentials that the commands use: what sets a variable of theirs, or a file of cookies.
func needed(credentials []string, commands string) []string {
	return slices.DeleteFunc(slices.Clone(credentials), func(c string) bool {
		name, _, assigns := strings.Cut(c, "=$(")
		return assigns && !strings.Contains(commands, "$"+name) || !assigns && !strings.Contains(commands, "-b cookies")
	})
}

// inShell runs the commands in a shell and returns the status that the last, a curl, is answered with.
func inShell(t *testing.T, commands []string) string {
	t.Helper()
	// A server gives a handler half a minute; on a busy machine, its picture is there the next time.
	options := " -sS -D - --retry 9 --retry-all-errors"
	cmd := exec.CommandContext(t.Context(), "sh", "-c", strings.Join(commands, "\n")+options)
	cmd.Dir, cmd.Env, cmd.Stderr = t.TempDir(), append(os.Environ(), "no_proxy=*"), t.Output()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // a stream does not end
		_ = cmd.Wait()
	}()
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) > 1 && strings.HasPrefix(words[0], "HTTP/") {
			return words[1]
		}
	}
	return "none"
}

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"craftista/db/pgtest"
	"craftista/shared/pg"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/token/tokentest"
)

// TestNothingAcknowledgedIsLostToSIGKILL votes with many people, kills the
// product service in the middle, over and over, and counts.
func TestNothingAcknowledgedIsLostToSIGKILL(t *testing.T) {
	t.Parallel()
	const kills, voters, pieces = 5, 16, 24
	binary := build(t, "craftista/product/cmd/product")
	database := pgtest.NewSeeded(t)
	issuer := tokentest.New(t)
	acknowledged := &ledger{votes: map[string]bool{}}
	for kill := range kills {
		p := run(t, binary, "ADDR=127.0.0.1:0", "DATABASE_URL="+database.ProductURL,
			"JWKS_URL="+issuer.JWKSURL(), "ISSUER="+issuer.URL, "AUDIENCE="+tokentest.Audience)
		var wg sync.WaitGroup
		for v := range voters {
			person := int64(1_000_000 + kill*voters + v)
			bearer := issuer.Mint(person, token.RoleUser)
			wg.Go(func() {
				for piece := 1; piece <= pieces && voteOnce(p.url, bearer, piece); piece++ {
					acknowledged.add(person, piece)
				}
			})
		}
		acknowledged.wait((kill + 1) * voters * pieces / 4) // in the middle of the load
		p.kill(t)
		wg.Wait()
	}
	checkLedger(t, database, acknowledged)
}

// ledger are the votes that were acknowledged.
type ledger struct {
	mu    sync.Mutex // guards votes
	votes map[string]bool
}

func (l *ledger) add(person int64, piece int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.votes[fmt.Sprint(person, " ", piece)] = true
}

func (l *ledger) size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.votes)
}

// wait returns once n votes are acknowledged, or after 20 s.
func (l *ledger) wait(n int) {
	for end := time.Now().Add(20 * time.Second); l.size() < n && time.Now().Before(end); {
		<-time.After(time.Millisecond)
	}
}

// voteOnce reports whether the vote was acknowledged.
func voteOnce(base, bearer string, piece int) bool {
	r, err := http.NewRequest(http.MethodPost, fmt.Sprintf("%s/api/origamis/%d/vote", base, piece), nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func checkLedger(t *testing.T, database *pgtest.Database, acknowledged *ledger) {
	t.Helper()
	db, err := pg.Open(database.AdminURL, telemetry.Discard())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var rows []string
	if err := db.SelectContext(t.Context(), &rows, `SELECT person_id || ' ' || product_id FROM product.votes WHERE person_id >= 1000000`); err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, r := range rows {
		kept[r] = true
	}
	lost := 0
	for v := range acknowledged.votes {
		if !kept[v] {
			lost++
		}
	}
	if lost > 0 || acknowledged.size() == 0 {
		t.Errorf("%d of %d acknowledged votes are lost", lost, acknowledged.size())
	}
	var drifted int
	if err := db.GetContext(t.Context(), &drifted, `
		SELECT count(*)
		FROM product.products AS p
		WHERE p.votes <> (SELECT count(*) FROM product.votes AS v WHERE v.product_id = p.id)`); err != nil {
		t.Fatal(err)
	}
	if drifted > 0 {
		t.Errorf("the counts of %d pieces differ from their rows", drifted)
	}
	t.Logf("%d votes acknowledged, %d kept", acknowledged.size(), len(rows))
}

// process is a service or a stack running for itself.
type process struct {
	cmd *exec.Cmd
	url string // where it listens, from its log
	out *output
}

// output collects what a process prints and tells of what is awaited.
type output struct {
	mu   sync.Mutex // guards text
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// await returns the text between after and the next character of until, once
// the process has printed them.
func (o *output) await(t *testing.T, after, until string) string {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if _, rest, ok := strings.Cut(o.String(), after); ok {
			if i := strings.IndexAny(rest, until); i >= 0 {
				return rest[:i]
			}
		}
	}
	t.Fatalf("no %q in\n%s", after, o)
	return ""
}

func build(t *testing.T, pkg string) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), filepath.Base(pkg))
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, pkg).CombinedOutput()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return binary
}

// launch starts a program that is killed at the end of the test at the latest.
func launch(t *testing.T, binary string, environ ...string) *process {
	t.Helper()
	p := &process{cmd: exec.CommandContext(context.WithoutCancel(t.Context()), binary), out: &output{}}
	p.cmd.Env = append(os.Environ(), environ...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

// run launches a service and waits until it listens.
func run(t *testing.T, binary string, environ ...string) *process {
	t.Helper()
	p := launch(t, binary, environ...)
	p.url = "http://" + p.out.await(t, `"addr":"`, `"`)
	return p
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait() // says that it was killed
}

package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// usage is CPU time of everything but the load, by program.
type usage struct{ service, postgres, redis time.Duration }

func (u usage) all() time.Duration { return u.service + u.postgres + u.redis }

// add adds what was used between two moments.
func (u *usage) add(from, to usage) {
	u.service += to.service - from.service
	u.postgres += to.postgres - from.postgres
	u.redis += to.redis - from.redis
}

// process is a line of /proc/PID/stat (proc(5)).
type process struct {
	name   string
	parent int
	used   time.Duration // with its children that have ended
}

// used is what the processes below this one have used. It skips the benchmark where there is no /proc.
func used(b *testing.B) (u usage) {
	b.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	if len(files) == 0 {
		b.Skip("CPU time by process is read from Linux's /proc")
	}
	all := map[int]process{}
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil { // else it has ended
			pid, p := parse(text)
			all[pid] = p
		}
	}
	for pid, p := range all {
		for at := pid; all[at].parent != 0; at = all[at].parent {
			if all[at].parent != os.Getpid() {
				continue
			}
			switch p.name {
			case "postgres":
				u.postgres += p.used
			case "redis-server":
				u.redis += p.used
			default:
				u.service += p.used
			}
		}
	}
	return u
}

func parse(stat []byte) (pid int, p process) {
	const tick = time.Second / 100 // USER_HZ, on every architecture that Go knows
	begin, end := bytes.IndexByte(stat, '('), bytes.LastIndexByte(stat, ')')
	pid, _ = strconv.Atoi(strings.TrimSpace(string(stat[:begin])))
	fields := strings.Fields(string(stat[end+1:])) // from the third on
	number := func(n int) int {
		v, _ := strconv.Atoi(fields[n-3])
		return v
	}
	p = process{name: string(stat[begin+1 : end]), parent: number(4)}
	p.used = time.Duration(number(14)+number(15)+number(16)+number(17)) * tick
	return pid, p
}

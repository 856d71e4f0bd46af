package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"craftista/db"
)

// ParseFill reads "products=1000000,votes=10000000"; what is not named is 0.
func ParseFill(text string) (db.Amounts, error) {
	var a db.Amounts
	to := map[string]*int64{"products": &a.Products, "votes": &a.Votes}
	for part := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(part, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		if to[name] == nil || err != nil {
			return db.Amounts{}, fmt.Errorf("-fill %s is not of the form -fill products=1000000,votes=10000000", text)
		}
		*to[name] = n
		delete(to, name) // a second one would be a mistake
	}
	return a, nil
}

// Fill fills the stack's database up to the target, and tells out how far it is.
// Interrupted, it keeps what it did so far, and the next call goes on.
func Fill(ctx context.Context, c Config, target db.Amounts, out *os.File) (err error) {
	data, err := c.dataFolder()
	if err != nil {
		return err
	}
	d, err := c.openDatabase(ctx, data, func(step string) { _, _ = fmt.Fprintf(out, "… %s\n", step) })
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, d.stop(context.WithoutCancel(ctx)))
	}()
	b := bar{out: out, terminal: isTerminal(out), began: time.Now(), target: target}
	if err := db.Fill(ctx, d.admin, target, b.show); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted; the same command goes on from here")
		}
		return fmt.Errorf("fill the database: %w", err)
	}
	_, _ = fmt.Fprintf(out, "\nThere are %d pieces and %d votes.\n", b.now.Products, b.now.Votes)
	return nil
}

// bar shows progress: on a terminal by one line that is written again and again,
// elsewhere by a line for each tenth.
type bar struct {
	out      io.Writer
	terminal bool
	began    time.Time
	target   db.Amounts

	first, now db.Amounts
	started    bool
	tenth      int64
}

func (b *bar) show(now db.Amounts) {
	if !b.started {
		b.started, b.first, b.tenth = true, now, -1
	}
	b.now = now
	done, all := rows(now)-rows(b.first), rows(b.target)-rows(b.first)
	if all <= 0 {
		return
	}
	part := min(1, float64(done)/float64(all))
	end := "\n"
	if b.terminal {
		end = ""
		_, _ = io.WriteString(b.out, "\r\x1b[K")
	} else if tenth := int64(part * 10); tenth == b.tenth {
		return
	} else {
		b.tenth = tenth
	}
	left := ""
	if took := time.Since(b.began); part > 0.02 && part < 1 {
		left = fmt.Sprintf(", %v left", time.Duration(float64(took)*(1-part)/part).Round(time.Second))
	}
	full := int(part * 30)
	_, _ = fmt.Fprintf(b.out, "[%s%s] %3.0f %%  %d pieces, %d votes%s%s",
		strings.Repeat("█", full), strings.Repeat("░", 30-full), part*100, now.Products, now.Votes, left, end)
}

// rows weighs a piece, with its words, like ten votes.
func rows(a db.Amounts) int64 { return 10*a.Products + a.Votes }

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

package local

import (
	"context"
	"errors"
	"fmt"
	"io"

	"craftista/db"
)

// ParseFill reads "products=1000000,votes=10000000".
func ParseFill(text string) (a db.Amounts, err error) {
	const form = "products=%d,votes=%d"
	_, err = fmt.Sscanf(text, form, &a.Products, &a.Votes)
	if err != nil || fmt.Sprintf(form, a.Products, a.Votes) != text {
		return db.Amounts{}, fmt.Errorf("-fill %s is not of the form -fill products=1000000,votes=10000000", text)
	}
	return a, nil
}

// Fill fills the stack's database up to the target, and prints to out each tenth
// that is done. After an interrupt the next call continues.
func Fill(ctx context.Context, c Config, target db.Amounts, out io.Writer) (err error) {
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
	tenth := int64(-1)
	progress := func(now db.Amounts) {
		if part := 10 * work(now) / max(1, work(target)); part > tenth {
			tenth = part
			_, _ = fmt.Fprintf(out, "… %d %%, %d products, %d votes\n", 10*min(tenth, 10), now.Products, now.Votes)
		}
	}
	if err := db.Fill(ctx, d.admin, target, progress); err != nil {
		if ctx.Err() != nil {
			return errors.New("interrupted; the same command continues from here")
		}
		return fmt.Errorf("fill the database: %w", err)
	}
	return nil
}

// work counts a product, with its words, like ten votes.
func work(a db.Amounts) int64 { return 10*a.Products + a.Votes }

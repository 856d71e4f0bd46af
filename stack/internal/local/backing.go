package local

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"time"

	"craftista/db"
	"craftista/db/embedded"

	"github.com/alicebob/miniredis/v2"
	"github.com/lib/pq"
)

// database has the URLs of the superuser and of each role, and stop ends the private
// server.
type database struct {
	admin, auth, product, recommendation string
	stop                                 func(context.Context) error
}

// openDatabase starts the private PostgreSQL, or uses the one that
// DATABASE_URL names, and brings its schemas and seed data up to date.
func (c Config) openDatabase(ctx context.Context, data string, progress func(string)) (*database, error) {
	admin, stop := c.DatabaseURL, func(context.Context) error { return nil }
	if admin == "" {
		server, err := embedded.Start(ctx, embedded.Config{Dir: data, Progress: progress})
		if err != nil {
			return nil, fmt.Errorf("%w (STACK_DATA names the folder)", err)
		}
		admin, stop = server.URL(), server.Stop
	} else if err := reach(ctx, admin); err != nil {
		return nil, err
	}
	d, err := c.migrate(ctx, admin, progress)
	if err != nil {
		_ = stop(context.WithoutCancel(ctx)) // the first error is the one to tell
		return nil, err
	}
	d.stop = stop
	return d, nil
}

// reach is nil when the database answers.
func reach(ctx context.Context, admin string) error {
	u, err := url.Parse(admin)
	connector, connectorErr := pq.NewConnector(admin)
	if err != nil || connectorErr != nil || u.Host == "" {
		return errors.New("DATABASE_URL is not of the form postgres://user:password@host:port/database")
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := connector.Connect(ctx)
	if err != nil {
		return fmt.Errorf("the database at %s does not answer: start it, correct DATABASE_URL, "+
			"or unset it to run a private one (%w)", u.Host, err)
	}
	return conn.Close()
}

func (c Config) migrate(ctx context.Context, admin string, progress func(string)) (*database, error) {
	p := c.Passwords
	if p == (db.Passwords{}) {
		p = passwords(admin)
	}
	progress("preparing the database")
	if err := db.Up(ctx, admin, p); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	if c.Seed {
		progress("seeding pieces, voters and demo accounts")
		if err := db.Seed(ctx, admin); err != nil {
			return nil, fmt.Errorf("seed the database: %w", err)
		}
	}
	d := &database{admin: admin}
	var errs [3]error
	d.auth, errs[0] = db.RoleURL(admin, db.AuthRole, p.Auth)
	d.product, errs[1] = db.RoleURL(admin, db.ProductRole, p.Product)
	d.recommendation, errs[2] = db.RoleURL(admin, db.RecommendationRole, p.Recommendation)
	return d, errors.Join(errs[:]...)
}

// passwords are the service roles' passwords. They follow from the superuser's,
// so that every start, and several stacks on one server, agree on them; where
// that is empty they are random.
func passwords(admin string) db.Passwords {
	secret := rand.Text()
	if u, err := url.Parse(admin); err == nil && u.User != nil {
		if p, ok := u.User.Password(); ok && p != "" {
			secret = p
		}
	}
	derive := func(role string) string {
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(role))
		return hex.EncodeToString(mac.Sum(nil))
	}
	return db.Passwords{
		Auth: derive(db.AuthRole), Product: derive(db.ProductRole), Recommendation: derive(db.RecommendationRole),
	}
}

// runCache runs an in-memory Redis until ctx is done. Its clock does not run by
// itself, so it is advanced here for entries to expire.
func runCache(ctx context.Context, m *miniredis.Miniredis) error {
	defer m.Close()
	const tick = 500 * time.Millisecond
	ticker := time.NewTicker(tick)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
			m.FastForward(tick)
		}
	}
}

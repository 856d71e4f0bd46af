// Command load is the people of a running Craftista, at a rate: they visit, search,
// vote, edit, sign in and listen to live counts. Each second it prints what was done,
// and in the end how long that took, by kind. It fails if too much failed.
//
// It signs in the demo accounts user and curator, takes votes back and undoes edits.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"craftista/shared/config"
)

type settings struct {
	URL         string        `env:"URL"` // of the site
	AuthURL     string        `env:"AUTH_URL"`
	ProductURL  string        `env:"PRODUCT_URL"`
	Rate        float64       `env:"RATE"`      // what begins in a second
	Duration    time.Duration `env:"DURATION"`  // what began by then is finished
	Listeners   int           `env:"LISTENERS"` // at a time, besides Rate
	MaxErrors   float64       // the share that may fail
	AllowRemote bool          // see nearby
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := config.Load(settings{
		URL: "http://localhost:3000", AuthURL: "http://localhost:8082", ProductURL: "http://localhost:8000",
		Rate: 50, Duration: 30 * time.Second, Listeners: 20,
	}, os.Environ())
	flag.Float64Var(&s.MaxErrors, "max-errors", 0.01, "the share that may fail")
	flag.BoolVar(&s.AllowRemote, "allow-remote", false, "addresses need be neither this machine's nor private")
	flag.Parse()
	if err == nil {
		err = run(ctx, s, newMeter(), os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		stop()
		os.Exit(1)
	}
}

// run works for s.Duration or until ctx is done, counts in m and prints to out. The
// error says what kept it from beginning, or that more than s.MaxErrors failed.
func run(ctx context.Context, s settings, m *meter, out io.Writer) error {
	p, err := newPopulation(ctx, s, m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.Duration)
	defer cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.work(ctx, s.Rate, s.Listeners)
	}()
	began, second := time.Now(), time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-second.C:
			_, _ = fmt.Fprintf(out, "%4.0f s %v\n", time.Since(began).Seconds(), m)
		case <-done:
			return m.report(out, s.MaxErrors)
		}
	}
}

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"craftista/stack/internal/local"
	"craftista/stack/internal/stacktest"
)

// TestThePageStandsWithoutAnyOnePart stops one part while people are on the
// site.
func TestThePageStandsWithoutAnyOnePart(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		part     string
		gallery  []string // what the gallery still shows
		silent   string   // what it cannot
		vote     int
		services string
	}{
		{"cache", []string{"Paper crane", "Sign out", "Piece of the day"}, "", http.StatusSeeOther, `"Catalogue":"up"`},
		{"recommendation", []string{"Paper crane", "Sign out"}, "", http.StatusSeeOther, `"Recommendation":"down"`},
		{"auth", []string{"Paper crane", "Sign out", "Piece of the day"}, "", http.StatusSeeOther, `"Authentication":"down"`},
		{"product", []string{"Sign out", "Piece of the day"}, "Paper crane", http.StatusServiceUnavailable, `"Catalogue":"down"`},
	} {
		t.Run(row.part, func(t *testing.T) {
			t.Parallel()
			s := stacktest.Start(t, nil)
			client := browse(t, s.URLs["frontend"])
			front := s.URLs["frontend"]
			do(t, client, post(t, front+"/origamis/2/vote", url.Values{})) // every service has its keys
			if err := s.StopPart(row.part); err != nil {
				t.Fatal(err)
			}
			page := do(t, client, get(t, front+"/"))
			if page.Status != http.StatusOK {
				t.Errorf("the gallery answers %d", page.Status)
			}
			for _, want := range row.gallery {
				if !strings.Contains(page.Body, want) {
					t.Errorf("the gallery lacks %q", want)
				}
			}
			if vote := do(t, client, post(t, front+"/origamis/1/vote", url.Values{})); vote.Status != row.vote {
				t.Errorf("a vote answers %d, want %d", vote.Status, row.vote)
			}
			if got := do(t, client, get(t, front+"/api/service-status")); !strings.Contains(strings.ReplaceAll(got.Body, " ", ""), row.services) {
				t.Errorf("service-status is %s, want %s in it", got.Body, row.services)
			}
			if got := do(t, client, get(t, front+"/status")); got.Status != http.StatusOK {
				t.Errorf("the status page answers %d", got.Status)
			}
		})
	}
}

// TestSettingsThatCannotWork are answered with one sentence that says what to
// do.
func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	running := stacktest.Start(t, nil)
	taken := strings.TrimPrefix(running.URLs["frontend"], "http://")
	for _, row := range []struct {
		name   string
		change func(*local.Config)
		want   []string
	}{
		{"ports in use", func(c *local.Config) { c.FrontendAddr, c.AuthAddr = taken, taken },
			[]string{taken + " is taken", "FRONTEND_ADDR=", "AUTH_ADDR="}},
		{"no such host", func(c *local.Config) { c.ProductAddr = "nowhere.invalid:1" }, []string{"PRODUCT_ADDR=nowhere.invalid:1"}},
		{"database away", func(c *local.Config) { c.DatabaseURL = "postgres://me:hunter2@127.0.0.1:1/x" },
			[]string{"the database at 127.0.0.1:1 does not answer", "DATABASE_URL"}},
		{"database URL of another kind", func(c *local.Config) { c.DatabaseURL = "mysql" }, []string{"DATABASE_URL is not of the form"}},
		{"folder cannot be written", func(c *local.Config) { c.Data = "/proc/craftista" }, []string{"the data folder", "STACK_DATA"}},
		{"a service's own setting", func(c *local.Config) { c.RedisURL = "foo" }, []string{"product ended by itself", "read Redis URL"}},
		{"another service's own setting", func(c *local.Config) { c.BcryptCost = 99 }, []string{"auth ended by itself", "BCRYPT_COST"}},
		{"folder is a file", func(c *local.Config) { c.Data = "/dev/null/x" }, []string{"the data folder", "STACK_DATA"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c := stacktest.Settings(t)
			row.change(&c)
			s, err := local.Start(t.Context(), c, func(string) {})
			if err == nil {
				t.Fatal("it started", s.Stop())
			}
			for _, want := range row.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q lacks %q", err, want)
				}
			}
			if strings.Contains(fmt.Sprint(err), "hunter2") {
				t.Errorf("%q tells the password", err)
			}
		})
	}
}

// Command auth runs the auth service and manages its signing keys and OAuth
// clients; see auth.Config for its settings.
package main

import (
	"os"

	"craftista/auth"
)

func main() {
	os.Exit(auth.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// Command auth runs the auth service; see auth.Config for its settings.
package main

import (
	"os"

	"craftista/auth"
	"craftista/shared/service"
)

func main() {
	os.Exit(service.Main("auth", os.Args[1:], os.Environ(), os.Stderr, auth.Default(), auth.Run))
}

// Command frontend serves the site. Settings come from the environment, see
// frontend.Config.
package main

import (
	"os"

	"craftista/frontend"
	"craftista/shared/service"
)

func main() {
	os.Exit(service.Main("frontend", service.OSProcess(), frontend.Default(), frontend.Run))
}

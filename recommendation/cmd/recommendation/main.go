// Command recommendation serves the origami of the day and picks for people.
package main

import (
	"os"

	"craftista/recommendation"
	"craftista/shared/service"
)

func main() {
	c := recommendation.Default()
	os.Exit(service.Main("recommendation", service.OSProcess(), c, recommendation.Run))
}

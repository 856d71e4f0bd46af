// Command product serves the catalogue and the votes.
package main

import (
	"os"

	"craftista/product"
	"craftista/shared/service"
)

func main() {
	os.Exit(service.Main("product", service.OSProcess(), product.Default(), product.Run))
}

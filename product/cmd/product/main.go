// Command product serves the catalogue and the votes.
package main

import (
	"os"

	"craftista/product"
	"craftista/shared/service"
)

func main() {
	os.Exit(service.Main("product", os.Args[1:], os.Environ(), os.Stderr, product.Default(), product.Run))
}

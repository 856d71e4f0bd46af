module craftista/db

go 1.26.0

require (
	github.com/fergusstrange/embedded-postgres v1.34.0
	github.com/google/go-cmp v0.7.0
	github.com/lib/pq v1.12.3
	github.com/pressly/goose/v3 v3.30.1
	golang.org/x/crypto v0.59.0
)

require github.com/caarlos0/env/v11 v11.4.2 // indirect

require (
	craftista/shared v0.0.0
	github.com/mfridman/interpolate v0.2.0 // indirect
	github.com/sethvargo/go-retry v0.5.0 // indirect
	github.com/xi2/xz v0.0.0-20171230120015-48954b6210f8 // indirect
	go.uber.org/multierr v1.11.0 // indirect
	golang.org/x/sync v0.25.0 // indirect
)

replace craftista/shared => ../shared

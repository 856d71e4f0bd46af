# In order of need. Each target needs Go; test installs what else it needs.

# Tools stay out of go.mod: the two hundred dependencies of the linter alone are not ours.
GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT    := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
GOVULNCHECK   := golang.org/x/vuln/cmd/govulncheck@v1.9.0
AIR           := github.com/air-verse/air@v1.67.4
MODULES       := auth db frontend product recommendation shared stack
PACKAGES      := $(MODULES:%=./%/...)

FUZZTIME      := 30s

.PHONY: run test lint vulnerabilities size bench bench-flat bench-picks load fuzz fuzz-api compose-check kube-check images generate dev

run: ## everything on this machine; then open http://localhost:3000
	@echo "… compiling; the first time this takes a minute or two, and downloads modules before"
	@go build -o bin/stack ./stack && exec bin/stack # go run would end with an error after Ctrl-C

test: ## every test, with real PostgreSQL, Redis and browser, under the race detector
	@sh stack/e2e/setup.sh
	go test -race -timeout 4h work # enough for a machine that is twenty times too busy

lint: ## formatting, vet and linters, also of the workflows and of the manifests for Kubernetes
	@test -z "$$(gofmt -l $(MODULES))" || { gofmt -l $(MODULES); echo "run gofmt -w on these files"; exit 1; }
	go tool templ fmt -fail .
	go vet work
	go run $(GOLANGCI_LINT) run $(PACKAGES)
	go run $(ACTIONLINT)
	go test -count=1 ./stack/kubetest # Go's cache of tests does not see that a manifest has changed

vulnerabilities: ## known ones that the code reaches, by the Go project's database, which needs the network
	@for module in $(MODULES); do echo "$$module:"; go run $(GOVULNCHECK) -C $$module ./... || exit 1; done

size: ## lines of Go, SQL, tests and of the reading path, and the bounds they keep to
	@sh stack/size.sh

bench: ## rate and CPU of each kind of request, beside a bare handler's in the same run, as a table; two minutes
	go test -run '^$$' -bench . -timeout 60m ./shared/token ./stack/bench

bench-flat: ## 24 products against a million, some ten minutes; FLAT_PRODUCTS=20000 FLAT_VOTES=200000 for a quick try
	go test -v -run '^$$' -bench . -timeout 60m ./stack/bench/flat

bench-picks: ## how good the picks are, by the held-out votes of generated people, some two minutes
	go test -run '^$$' -bench . -benchtime 1x ./stack/bench/picks

load: ## people on a running site: RATE=50 DURATION=30s LISTENERS=20 URL=http://localhost:3000 LOAD_FLAGS=-max-errors=0.01
	@go run ./stack/load $(LOAD_FLAGS)

fuzz: ## every fuzz target for FUZZTIME
	@go test -list '^Fuzz' $(PACKAGES) | awk '/^Fuzz/ {name[n++] = $$1} /^ok/ {while (n) print $$2, name[--n]}' | \
	while read -r package name; do \
		echo "$$package $$name"; \
		go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$$package" || exit 1; \
	done

fuzz-api: ## what the OpenAPI documents promise, against a running stack, some five minutes; needs python3
	@sh stack/fuzzapi/fuzz.sh

compose-check: ## the containers, two of each service: built, used, broken and taken down; needs docker compose
	@sh stack/e2e/setup.sh
	@sh stack/composetest/check.sh

kube-check: ## three replicas of each service in a cluster: used, broken, upgraded and scaled; KUBECONFIG, or Linux as root
	@sh stack/e2e/setup.sh with-window # the other knows no flag to trust the cluster's address
	@bash stack/kubetest/check.sh

images: ## the images, built, and a table of their sizes; needs docker compose
	@sh stack/composetest/images.sh

generate: ## Go from templ
	@go tool templ generate -log-level error $(TEMPL_FLAGS)

dev: ## run, and show each edit in the open browser; PostgreSQL and Redis go on meanwhile
	@echo "… compiling; the first time this takes a minute or two, and downloads modules before"
	@go build -o bin/stack ./stack && DEV_RELOAD=true exec bin/stack -beside go run $(AIR)

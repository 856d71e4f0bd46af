#!/bin/sh
# Builds and starts the composed system, two replicas of each service, has the end-to-end tests use it and the tests
# here break it, and takes it down.
set -eu
cd "$(dirname "$0")/../.."

export COMPOSE_CHECK=1 COMPOSE_PROJECT_NAME=craftista-check
export COMPOSE_FILE=docker-compose.yml:stack/composetest/check.yaml
export SITE_PORT="${SITE_PORT:-13000}" AUTH_PORT="${AUTH_PORT:-18082}" PRODUCT_PORT="${PRODUCT_PORT:-18000}" \
	RECOMMENDATION_PORT="${RECOMMENDATION_PORT:-18080}" JAEGER_PORT="${JAEGER_PORT:-26686}" \
	MAILPIT_PORT="${MAILPIT_PORT:-18025}" \
	PROMETHEUS_PORT="${PROMETHEUS_PORT:-19090}" GRAFANA_PORT="${GRAFANA_PORT:-13001}" \
	SUBNET="${SUBNET:-172.31.232.0/24}"
export AUTH_PUBLIC_URL="http://localhost:$AUTH_PORT" SITE_PUBLIC_URL="http://localhost:$SITE_PORT"

took() { # what, command...
	what=$1 began=$(date +%s)
	shift
	"$@" || return
	echo "$what: $(($(date +%s) - began)) s"
}
down() { docker compose down --volumes --timeout 10; }
trap down EXIT
trap 'exit 130' INT TERM
down # what a run that was killed has left

took build docker compose build --quiet
docker run --rm --volume "$PWD/deploy:/deploy:ro" --entrypoint promtool \
	"$(docker compose config --images | grep prom/)" test rules /deploy/rules_test.yaml
took healthy docker compose up --detach --wait || { docker compose ps --all; docker compose logs --tail 20; exit 1; }

# The journeys that need a site and nothing else, one after the other: they count the same votes.
journeys=$(awk '/^func Test/ {sub(/\(.*/, "", $2); name = $2} /stacktest\.Site\(/ {print name}' stack/e2e/*_test.go)
E2E_SITE_URL=$SITE_PUBLIC_URL PROMETHEUS=http://localhost:$PROMETHEUS_PORT go test -v -count=1 -parallel 1 -timeout 30m \
	-run "^($(echo $journeys | tr ' ' '|'))\$" ./stack/e2e
go test -v -count=1 -timeout 60m ./stack/composetest

#!/bin/sh
# Images under the names of those that docker-compose.yml pulls, for a machine that reaches no registry of images, only
# those of packages: Debian's PostgreSQL, Redis and Caddy, the Collector, Mailpit, Jaeger and Prometheus compiled from
# their Go modules (Debian's Prometheus takes no OTLP; this Mailpit's pages lack their scripts). They stand in for a check
# and are never shipped: where the real images can be pulled, pull them. Grafana has no such source; its stand-in answers
# its health check and nothing else.
#
#   standins.sh FOLDER     FOLDER keeps what was downloaded and compiled, some 15 minutes the first time
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1/bin" && cd "$1"
debian=http://deb.debian.org/debian

if [ ! -e root/.complete ]; then
	rm -rf root
	debootstrap --variant=minbase --include=busybox-static,ca-certificates,git,netbase,postgresql-17,redis-server trixie root $debian
	for tool in wget nc; do ln -sf busybox root/bin/$tool; done
	touch root/.complete
fi

# Newer than any stable release has it; a Go program needs little of the system that it was made for.
if [ ! -x bin/caddy ]; then
	curl -fsS $debian/dists/sid/main/binary-amd64/Packages.xz | xz -d |
		awk 'BEGIN {RS = ""} $2 == "caddy" && match($0, /Filename: [^\n]*/) {print substr($0, RSTART + 10, RLENGTH - 10); exit}' |
		while read -r path; do curl -fsS -o package.deb "$debian/$path"; done
	dpkg-deb -x package.deb package && mv package/usr/bin/caddy bin/ && rm -r package package.deb
fi

export CGO_ENABLED=0 GOBIN="$PWD/bin" GOWORK=off GOFLAGS=-trimpath
if [ ! -x bin/otelcol ]; then
	go install go.opentelemetry.io/collector/cmd/builder@v0.165.0
	bin/builder --config "$here/otelcol.yaml"
	mv otelcol/otelcol bin/ && rm -r otelcol
fi
# compile MODULE VERSION [FLAG] PACKAGE... is for modules with replacements, which go install refuses.
compile() {
	cp -r "$(go mod download -json "$1@$2" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" module
	chmod -R u+w module
	(cd module && shift 2 && go build -ldflags='-s -w' -o ../bin/ "$@") && rm -r module
}
[ -x bin/mailpit ] || go install -ldflags='-s -w' github.com/axllent/mailpit@v1.33.1
[ -x bin/jaeger ] || compile github.com/jaegertracing/jaeger v1.76.0 ./cmd/jaeger
[ -x bin/promtool ] || compile github.com/prometheus/prometheus v0.313.5 -tags=remove_all_sd,netgo \
	./cmd/prometheus ./cmd/promtool

docker image inspect craftista-standin >/dev/null 2>&1 || tar -C root -c . | docker import - craftista-standin >/dev/null
go=$(go env GOROOT)
[ -e go ] || cp -r "$go" go
cp /etc/ssl/certs/ca-certificates.crt "$here/standins.Dockerfile" "$here"/*-entrypoint.sh .
images=$(docker compose -f "$here/../../docker-compose.yml" config --images | sort -u)
for target in golang postgres redis caddy collector mailpit jaeger prometheus grafana; do
	case $target in
	golang) name=$(awk '/golang:/ {sub(/.*golang:/, "golang:"); print $1; exit}' "$here/../../deploy/Dockerfile") ;;
	collector) name=$(awk '/otel\/opentelemetry-collector/ {print $2; exit}' "$here/../../deploy/Dockerfile") ;;
	*) name=$(printf '%s\n' "$images" | grep "$target" | head -1) ;;
	esac
	docker build -q -f standins.Dockerfile --target $target -t "$name" . >/dev/null
	echo "$name: a stand-in"
done

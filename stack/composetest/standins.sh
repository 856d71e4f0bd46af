#!/bin/sh
# Images under the names of those that docker-compose.yml pulls, for a machine that reaches no registry of images, only
# those of packages: Debian's PostgreSQL, Redis, Caddy and Prometheus, the Collector and Jaeger compiled from their Go
# modules. They stand in for a check and are never shipped: where the real images can be pulled, pull them.
# Grafana has no such source; its stand-in answers its health check and nothing else.
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

# Newer than any stable release has them; a Go program needs little of the system that it was made for.
for program in caddy prometheus; do
	[ -x bin/$program ] && continue
	curl -fsS $debian/dists/sid/main/binary-amd64/Packages.xz | xz -d |
		awk -v name=$program 'BEGIN {RS = ""} $2 == name && match($0, /Filename: [^\n]*/) {print substr($0, RSTART + 10, RLENGTH - 10); exit}' |
		while read -r path; do curl -fsS -o package.deb "$debian/$path"; done
	dpkg-deb -x package.deb package && mv package/usr/bin/$program bin/ && rm -r package package.deb
done

export CGO_ENABLED=0 GOBIN="$PWD/bin" GOWORK=off GOFLAGS=-trimpath
if [ ! -x bin/otelcol ]; then
	go install go.opentelemetry.io/collector/cmd/builder@v0.165.0
	bin/builder --config "$here/otelcol.yaml"
	mv otelcol/otelcol bin/ && rm -r otelcol
fi
if [ ! -x bin/jaeger ]; then # has replacements, which go install refuses
	cp -r "$(go mod download -json github.com/jaegertracing/jaeger@v1.76.0 | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')" jaeger
	chmod -R u+w jaeger
	(cd jaeger && go build -ldflags='-s -w' -o ../bin/jaeger ./cmd/jaeger) && rm -r jaeger
fi

docker image inspect craftista-standin >/dev/null 2>&1 || tar -C root -c . | docker import - craftista-standin >/dev/null
go=$(go env GOROOT)
[ -e go ] || cp -r "$go" go
cp /etc/ssl/certs/ca-certificates.crt "$here/standins.Dockerfile" "$here"/*-entrypoint.sh .
images=$(docker compose -f "$here/../../docker-compose.yml" config --images | sort -u)
for target in golang postgres redis caddy collector jaeger prometheus grafana; do
	case $target in
	golang) name=$(awk '/golang:/ {sub(/.*golang:/, "golang:"); print $1; exit}' "$here/../../deploy/Dockerfile") ;;
	collector) name=$(awk '/otel\/opentelemetry-collector/ {print $2; exit}' "$here/../../deploy/Dockerfile") ;;
	*) name=$(printf '%s\n' "$images" | grep "$target" | head -1) ;;
	esac
	docker build -q -f standins.Dockerfile --target $target -t "$name" . >/dev/null
	echo "$name: a stand-in"
done

#!/bin/bash
# Archives of images in $K/images: the services and migrations of this tree as dev and, with a migration more, as next;
# and, under the names that deploy/kubernetes/local has, this machine's PostgreSQL and Redis, which stand in for a check.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/cluster/env.sh"
cd "$here/../.."
rm -rf "$K/images" "$K/roots" && mkdir -p "$K/images" "$K/roots"

image() { # names root entrypoint: the first and the last as in JSON
	local folder=$K/roots/archive archive=$K/images/$(echo "$1" | tr -dc a-z).tar
	rm -rf "$folder" && mkdir -p "$folder"
	tar -C "$2" --owner=0 --group=0 -cf "$folder/layer.tar" .
	local layer
	layer=$(sha256sum <"$folder/layer.tar" | cut -d' ' -f1)
	cat >"$folder/config.json" <<-J
		{"architecture": "$(go env GOARCH)", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:$layer"]},
		 "config": {"Entrypoint": $3, "User": "65532", "Env": ["PATH=/postgres/bin:/usr/bin:/bin"]}}
	J
	echo "[{\"Config\": \"config.json\", \"RepoTags\": [$1], \"Layers\": [\"layer.tar\"]}]" >"$folder/manifest.json"
	tar -C "$folder" -cf "$archive" config.json layer.tar manifest.json
}
program() { # name file
	mkdir -p "$K/roots/$1" && cp "$2" "$K/roots/$1/service"
	image "\"$1\"" "$K/roots/$1" '["/service"]'
}

export CGO_ENABLED=0
services() { # tag
	mkdir -p "$K/roots/$1"
	go build -trimpath -tags grpcnotrace,nethttpomithttp2 -ldflags="-s -w -X craftista/shared/build.version=$1" \
		-o "$K/roots/$1/" ./auth/cmd/auth ./frontend/cmd/frontend ./product/cmd/product ./recommendation/cmd/recommendation
	for name in auth frontend product recommendation; do program "craftista/$name:$1" "$K/roots/$1/$name"; done
}
services dev
go build -trimpath -ldflags='-s -w' -o "$K/roots/migrate" ./db/cmd/migrate
program craftista/db:dev "$K/roots/migrate"
# The next release: each service says so, and a migration adds a column that the release before does not know.
services next
rm -rf "$K/roots/tree" && mkdir "$K/roots/tree" && cp -r db shared "$K/roots/tree/"
cat >"$K/roots/tree/db/migrations/product/00900_next.sql" <<'S'
-- +goose Up
ALTER TABLE product.products ADD COLUMN next text NOT NULL DEFAULT '';
CREATE INDEX products_next ON product.products (next, id);
S
(cd "$K/roots/tree" && go work init ./db ./shared && go build -trimpath -ldflags='-s -w' -o ../migrate ./db/cmd/migrate)
program craftista/db:next "$K/roots/migrate"

image '"craftista-check/pause:1"' "$K/debs/bin" '["/busybox", "sleep", "2147483647"]'
program craftista-check/coredns:1 "$K/bin/coredns"

# PostgreSQL and Redis with the libraries that they load, a shell, and the users of the official images.
root=$K/roots/stores postgres=$(dirname "$(dirname "$(readlink -f "$(command -v postgres)")")")
mkdir -p "$root"/{bin,etc,tmp,var/lib/postgresql/data,var/run/postgresql}
cp "$K/debs/bin/busybox" "$root/bin/" && "$root/bin/busybox" --install -s "$root/bin"
find "$root/bin" -type l -exec ln -sf busybox {} \;
printf '%s\n' root:x:0:0::/: postgres:x:70:70::/: redis:x:999:1000::/: >"$root/etc/passwd"
ln -s "$postgres" "$root/postgres"
{
	echo "$postgres"
	[ ! -d "/usr/share/postgresql" ] || echo /usr/share/postgresql
	echo /usr/share/zoneinfo
	readlink -f "$(command -v redis-server)"
	ls -d /usr/lib/locale/C.utf8 || true
	{ ldd "$postgres"/bin/* "$postgres"/lib/*.so "$(command -v redis-server)" || true; } 2>/dev/null |
		grep -v llvm | grep -o '/lib[^ :]*\.so[^ :]*' | sort -u
} | tar -chPf - --exclude='*llvm*' --exclude=bitcode -T - | tar -C "$root" -xf -
ln -sf "$(readlink -f "$(command -v redis-server)")" "$root/bin/redis-server"
cp stack/composetest/postgres-entrypoint.sh "$root/postgres.sh"
printf '#!/bin/sh\n[ $# -gt 0 ] || exec /postgres.sh postgres\nexec "$@"\n' >"$root/entrypoint.sh"
chmod +x "$root/entrypoint.sh"
image '"postgres:17-alpine", "redis:8-alpine"' "$root" '["/entrypoint.sh"]'
rm -rf "$K/roots"

#!/bin/sh
# Makes each installation's secrets once, in the volume that the services read
# them from. Nothing here is a default that another installation shares.
set -eu
umask 077
cd /run/secrets

make() { # name, text
	[ -s "$1" ] || { printf '%s' "$2" >"$1.new" && mv "$1.new" "$1"; }
}
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }

make postgres_password "$(random)"
make internal_api_key "$(random)"
for service in auth product recommendation; do
	make "${service}_db_password" "$(random)"
	make "${service}_database_url" "postgres://craftista_$service:$(cat "${service}_db_password")@postgres:5432/craftista?sslmode=disable"
done
make admin_database_url "postgres://postgres:$(cat postgres_password)@postgres:5432/craftista?sslmode=disable"
chown -R 65532:65532 .
# PostgreSQL's own container reads its password as another user.
chmod 711 . && chmod 444 postgres_password

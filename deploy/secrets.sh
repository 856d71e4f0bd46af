#!/bin/sh
# Makes each installation's secrets once. Every container reads a volume of its own, with what it needs and no more.
# Nothing here is a default that another installation shares.
set -eu
umask 077
all=/secrets

random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
put() { # file, text: kept if it is there
	[ -s "$all/$1" ] || { printf '%s' "$2" >"$all/$1.new" && mv "$all/$1.new" "$all/$1"; }
}
copy() { # from, to
	put "$2" "$(cat "$all/$1")"
}
url() { # role, file with its password
	printf 'postgres://%s:%s@postgres:5432/craftista?sslmode=disable' "$1" "$(cat "$all/$2")"
}

put auth/internal_api_key "$(random)"
put auth/keys_secret "$(random)"
copy auth/internal_api_key frontend/internal_api_key
put postgres/postgres_password "$(random)"
put migrate/database_url "$(url postgres postgres/postgres_password)"
for service in auth product recommendation; do
	put "migrate/${service}_db_password" "$(random)"
	put "$service/database_url" "$(url "craftista_$service" "migrate/${service}_db_password")"
done

for reader in auth frontend migrate product recommendation; do
	chown -R 65532:65532 "$all/$reader"
done
# PostgreSQL's own container reads its password as a user whose number differs from image to image.
chmod 755 "$all/postgres" && chmod 444 "$all/postgres/postgres_password"

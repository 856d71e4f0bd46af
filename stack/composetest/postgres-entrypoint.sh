#!/bin/sh
# As much of the official image's entry point as docker-compose.yml and deploy/kubernetes use.
set -eu
if [ "$(id -u)" = 0 ]; then
	chown -R postgres "$PGDATA" /var/run/postgresql
	chmod 700 "$PGDATA"
	exec setpriv --reuid=postgres --regid=postgres --clear-groups "$0" "$@"
fi
if [ ! -s "$PGDATA/PG_VERSION" ]; then
	printf %s "${POSTGRES_PASSWORD:-$(cat "$POSTGRES_PASSWORD_FILE")}" >/tmp/password
	initdb --encoding=UTF8 --locale=C.UTF-8 --username=postgres --pwfile=/tmp/password --auth-local=trust --auth-host=scram-sha-256
	echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
	pg_ctl -w -o "-c listen_addresses=''" start
	rm /tmp/password
	[ "${POSTGRES_DB:-postgres}" = postgres ] || createdb -U postgres "$POSTGRES_DB"
	pg_ctl -w -m fast stop
fi
exec "$@" -c listen_addresses='*'

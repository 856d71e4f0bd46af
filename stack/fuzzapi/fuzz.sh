#!/bin/sh
# Runs schemathesis against the OpenAPI documents of auth, product and recommendation of a stack that this starts,
# with the token of each demo account. It needs Go and python3, installs nothing outside a temporary folder, and fails
# if there is a finding. Arguments name services, by default all three. SECONDS_EACH bounds each run; SEED repeats
# one.
set -eu
cd "$(dirname "$0")/../.."

schemathesis=4.32.5
seconds=${SECONDS_EACH:-30}

work=$(mktemp -d)
stack=
finish() {
	[ -z "$stack" ] || { kill "$stack" && wait "$stack"; } 2>/dev/null || true
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$schemathesis"
go build -o "$work/stack" ./stack

# PostgreSQL's own user must get in if this runs as root.
chmod 755 "$work"
export INTERNAL_API_KEY="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
FRONTEND_ADDR=localhost:0 AUTH_ADDR=localhost:0 PRODUCT_ADDR=localhost:0 RECOMMENDATION_ADDR=localhost:0 \
	TRACES_ADDR=localhost:0 STACK_DATA="$work/data" STACK_SEED=true DATABASE_URL='' REDIS_URL='' SMTP_URL='' \
	OTEL_EXPORTER_OTLP_ENDPOINT='' ACCESS_TOKEN_TTL=24h BCRYPT_COST=4 LOG_LEVEL=error \
	"$work/stack" >"$work/log" 2>&1 &
stack=$!
until grep -q '^Ctrl-C' "$work/log"; do
	kill -0 "$stack" 2>/dev/null || { cat "$work/log" >&2; exit 1; }
	sleep 0.2
done

url() { awk -v name="$1" '$1 == name { print $2; exit }' "$work/log"; }

# token NAME prints an access token of that demo account, whose password the table of the stack shows.
token() {
	python3 - "$(url auth)" "$1" "$(awk -v name="$1" '$3 == "(" name ")" { print $2 }' "$work/log")" <<-'EOF'
		import json, sys, urllib.request
		url, name, password = sys.argv[1:]
		body = json.dumps({"username": name, "password": password}).encode()
		request = urllib.request.Request(url + "/api/auth/login", body, {"Content-Type": "application/json"})
		print(json.load(urllib.request.urlopen(request))["access_token"])
	EOF
}

# Before any run, since an admin may disable the others.
for role in user curator admin; do
	token $role >"$work/$role"
done

failed=
for service in ${*:-product recommendation auth}; do
	for role in user curator admin; do
		echo "== $service, as $role"
		TOKEN=$(cat "$work/$role") "$work/venv/bin/st" --config-file stack/fuzzapi/schemathesis.toml run \
			"$(url $service)/openapi.json" --max-time "$seconds" --generation-database none ${SEED:+--seed "$SEED"} ||
			failed="$failed $service/$role"
	done
done
if grep 'level=ERROR' "$work/log"; then
	failed="$failed log"
fi
[ -z "$failed" ] || { echo "findings in:$failed" >&2; exit 1; }

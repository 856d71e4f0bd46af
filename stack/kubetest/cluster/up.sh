#!/bin/bash
# Brings the cluster up from nothing and returns when its node is ready.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
. "$here/env.sh"
bash "$here/down.sh"
mkdir -p "$R/log"
bash "$here/certs.sh"
setsid unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc bash "$here/node.sh" \
	>"$R/log/node.log" 2>&1 </dev/null &
outer=$!
echo $outer >"$R/outer.pid"
while [ ! -e "$R/up" ]; do
	kill -0 $outer 2>/dev/null || { cat "$R/log/node.log"; exit 1; }
	pgrep -P $outer >"$R/init.pid" || true
	sleep 0.2
done
cat "$R/log/node.log"

#!/bin/bash
# Ends process 1 of the node's pid namespace and so everything in it; then its cgroups and what the run wrote.
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
init=$(cat "$R/init.pid" 2>/dev/null) outer=$(cat "$R/outer.pid" 2>/dev/null)
[ -z "$init" ] || ! grep -qs node.sh "/proc/$init/cmdline" || kill -KILL "$init"
while [ -n "$outer" ] && grep -qs node.sh "/proc/$outer/cmdline"; do sleep 0.1; done
for _ in 1 2 3; do
	find /sys/fs/cgroup/*/$CGROUP -depth -type d -exec rmdir {} + 2>/dev/null
	sleep 0.2
done
rm -rf "$R"

#!/bin/sh
# Builds the images of docker-compose.yml and prints their sizes as Markdown, in MB (10^6 bytes): unpacked, and
# compressed as a registry stores them.
set -eu
cd "$(dirname "$0")/../.."
docker compose build --quiet
printf '| image | size, MB | compressed, MB |\n|---|---:|---:|\n'
for image in $(docker compose config --images | grep '^craftista/' | sort -u); do
	printf '%s %s %s\n' "$image" "$(docker image inspect --format '{{.Size}}' "$image")" "$(docker save "$image" | gzip | wc -c)"
done | awk '{printf "| `%s` | %.1f | %.1f |\n", $1, $2 / 1e6, $3 / 1e6}'

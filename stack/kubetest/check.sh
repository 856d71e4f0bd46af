#!/bin/bash
# Brings a cluster up, unless KUBECONFIG names one, and everything into it by deploy/kubernetes/local, three replicas of
# each service; has the end-to-end tests use it and the tests of stack/composetest break it. As root, on Linux.
#
# With KUBECONFIG: images that its nodes can pull, IMAGES=registry/craftista and VERSION, NEXT for the upgrade, and
# SITE_URL, AUTH_URL, PRODUCT_URL and RECOMMENDATION_URL, where this machine reaches the services.
set -euo pipefail
cd "$(dirname "$0")/../.."
. stack/kubetest/cluster/env.sh
built=$(mktemp -d)
export KUBE_CHECK=1 MANIFESTS=$built/manifests.yaml
go test -c -o "$built/" ./stack/composetest ./stack/e2e
sh deploy/kubernetes/secrets.sh deploy/kubernetes/local

if [ -z "${KUBECONFIG:-}" ]; then
	[ "$(id -u)" = 0 ] || { echo "set KUBECONFIG, or be root, which a cluster of its own needs" >&2; exit 1; }
	bash stack/kubetest/cluster/build.sh
	bash stack/kubetest/images.sh
	trap 'bash stack/kubetest/cluster/down.sh; rm -rf "$built"' EXIT
	trap 'exit 130' INT TERM
	bash stack/kubetest/cluster/up.sh
	export KUBECONFIG=$R/admin.conf
	inside() { nsenter --net --target "$(cat "$R/init.pid")" "$@"; } # the only network that leads to the cluster
else
	trap 'rm -rf "$built"' EXIT
	inside() { "$@"; }
fi
began=$SECONDS
kubectl kustomize stack/kubetest |
	sed "s#image: craftista/\(.*\):dev\$#image: ${IMAGES:-craftista}/\1:${VERSION:-dev}#" >"$MANIFESTS"
inside kubectl apply -f "$MANIFESTS"
inside kubectl -n craftista wait --for=condition=Available deployment --all --timeout=10m
inside kubectl -n craftista wait --for=condition=Complete job/migrate job/seed --timeout=5m
echo "available: $((SECONDS - began)) s"
address() { inside kubectl -n craftista get service "$1" -o jsonpath='http://{.spec.clusterIP}:{.spec.ports[0].port}'; }
export SITE_URL=${SITE_URL:-$(address frontend)} AUTH_URL=${AUTH_URL:-$(address auth)}
export PRODUCT_URL=${PRODUCT_URL:-$(address product)} RECOMMENDATION_URL=${RECOMMENDATION_URL:-$(address recommendation)}

# The journeys that need a site and nothing else, but for that by keyboard, which wants a link to a trace; one after the
# other, since they count the same votes. The browser is to trust an address as it does localhost.
journeys=$(awk '/^func Test/ {sub(/\(.*/, "", $2); name = $2} /stacktest\.Site\(/ {print name}' \
	stack/e2e/*_test.go | grep -vx TestKeyboard)
for browser in "${CHROME:-}" chromium chromium-browser google-chrome google-chrome-stable; do
	[ -z "$browser" ] || ! command -v "$browser" >/dev/null || break
done
printf '#!/bin/sh\nexec %s --unsafely-treat-insecure-origin-as-secure="$E2E_SITE_URL" "$@"\n' "$browser" >"$built/browser"
chmod +x "$built/browser"
(cd stack/e2e && CHROME=$built/browser E2E_SITE_URL=$SITE_URL inside "$built/e2e.test" -test.v -test.parallel 1 \
	-test.timeout 30m -test.run "^($(echo $journeys | tr ' ' '|'))\$")
(cd stack/composetest && inside "$built/composetest.test" -test.v -test.timeout 60m -test.run '^TestCluster')

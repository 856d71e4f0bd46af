#!/bin/bash
# A CA, and a certificate and a kubeconfig for each program.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
mkdir -p "$R/pki" && cd "$R/pki"
ca() { # file name
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -out "$1.crt" -days 30 \
		-subj "/CN=$2" -addext keyUsage=critical,keyCertSign,digitalSignature 2>/dev/null
}
cert() { # file subject usage [names [CA]]
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$1.key" -subj "$2" 2>/dev/null |
		openssl x509 -req -CA "${5:-ca}.crt" -CAkey "${5:-ca}.key" -CAcreateserial -days 30 -out "$1.crt" -extfile <(
			echo "extendedKeyUsage=$3"
			[ -z "${4:-}" ] || echo "subjectAltName=$4"
		) 2>/dev/null
}
user() { # file subject
	cert "$1" "$2" clientAuth
	cat >"$R/$1.conf" <<-Y
		{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
		 clusters: [{name: c, cluster: {server: "https://$NODE:6443", certificate-authority: $R/pki/ca.crt}}],
		 users: [{name: u, user: {client-certificate: $R/pki/$1.crt, client-key: $R/pki/$1.key}}]}
	Y
}
ca ca craftista-check
ca front front-proxy
openssl genrsa -out sa.key 2048 2>/dev/null && openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
cert apiserver /CN=kube-apiserver serverAuth "IP:$NODE,IP:127.0.0.1,IP:$API,DNS:kubernetes.default.svc"
cert apiserver-kubelet /O=system:masters/CN=apiserver-kubelet clientAuth
cert front-client /CN=front-proxy-client clientAuth "" front
cert kubelet-server /CN=node1 serverAuth "IP:$NODE,DNS:node1"
cert metrics-server /CN=metrics-server serverAuth DNS:metrics-server.kube-system.svc
user admin /O=system:masters/CN=admin
user kubelet /O=system:nodes/CN=system:node:node1
user scheduler /CN=system:kube-scheduler
user controllers /CN=system:kube-controller-manager
user proxy /CN=system:kube-proxy

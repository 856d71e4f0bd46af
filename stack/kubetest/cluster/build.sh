#!/bin/bash
# Builds Kubernetes and what it needs into $K/bin from Go modules and Debian's packages, once: some 10 minutes of two
# quiet cores, 730 MB of modules, 3.4 GB of Go's build cache.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ ! -x "$K/bin/kubectl" ] || exit 0
mkdir -p "$K/debs" "$K/download" "$K/out" && cd "$K/download"
# Unpacked there, nothing is installed and no service started.
apt-get update -qq
apt-get download -qq busybox-static conntrack containerd containernetworking-plugins ipset iptables libipset13 \
	libnftables1 libseccomp2 nftables runc
for deb in *.deb; do dpkg-deb -x "$deb" "$K/debs"; done
for name in iptables iptables-save iptables-restore ip6tables ip6tables-save ip6tables-restore; do
	ln -sf xtables-nft-multi "$K/debs/usr/sbin/$name"
done

# A copy, since the build adds a go.sum.
rm -rf "$K/module" && cp -r "$here" "$K/module" && cd "$K/module"
export CGO_ENABLED=0 GOWORK=off GOFLAGS='-buildvcs=false -mod=mod'
version=v1.37.2 p=k8s.io/component-base/version # kubectl complains without
flags="-s -w -X $p.gitVersion=$version -X $p.gitMajor=1 -X $p.gitMinor=37 -X $p.gitTreeState=clean"
flags="$flags -X k8s.io/client-go/pkg/version.gitVersion=$version"
# Without inlining and debug data, but in the standard library, 40 % less is compiled.
nice go build -p 2 -trimpath -gcflags='all=-l -dwarf=false' -gcflags=std= -ldflags "$flags" -o "$K/out/" \
	. ./coredns ./netpol go.etcd.io/etcd/server/v3 k8s.io/kubernetes/cmd/kubectl \
	sigs.k8s.io/metrics-server/cmd/metrics-server
mv "$K/out/server" "$K/out/etcd"
for name in apiserver controller-manager scheduler proxy; do ln -sf cluster "$K/out/kube-$name"; done
ln -sf cluster "$K/out/kubelet"
mv "$K/out" "$K/bin"

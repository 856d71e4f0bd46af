#!/bin/bash
# The node: process 1 of its own pid, mount, network, ipc and uts namespaces. When it ends, all of it ends. Its network
# leads nowhere. For cgroup v1 and v2.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/env.sh"
export PATH=$K/debs/usr/sbin:$K/debs/usr/bin:$PATH LD_LIBRARY_PATH=$K/debs/usr/lib/x86_64-linux-gnu
export XTABLES_LIBDIR=$LD_LIBRARY_PATH/xtables
mount --make-rprivate /
# A subtree of our own in each hierarchy of cgroups, below which the kubelet makes its own.
mkdir -p "$R/cgroup" && mount --rbind /sys/fs/cgroup "$R/cgroup"
mount -t sysfs sysfs /sys && mount --rbind "$R/cgroup" /sys/fs/cgroup
for hierarchy in cpu cpuacct cpuset memory devices freezer blkio pids systemd; do
	own=/sys/fs/cgroup/$hierarchy/$CGROUP
	mkdir -p $own/sys
	if [ $hierarchy = cpuset ]; then
		for folder in $own $own/sys; do
			for file in cpuset.cpus cpuset.mems; do cat /sys/fs/cgroup/cpuset/$file >$folder/$file; done
		done
	fi
	echo $$ >$own/sys/cgroup.procs
done
# What the kubelet sets for a machine of its own is kept from this one.
for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
	kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
	file=$R/sysctl.$(echo ${setting%%=*} | tr / .)
	echo ${setting#*=} >"$file" && mount --bind "$file" /proc/sys/${setting%%=*}
done
mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/log
mkdir -p /run/containerd /var/log/pods /var/log/containers "$R"/{containerd,etcd,cni,postgres}
chmod 777 "$R/postgres"
for folder in /var/lib/cni /var/lib/kubelet; do
	mkdir -p $folder "$R$folder" && mount --bind "$R$folder" $folder
done
mount --make-shared /
hostname node1
ip link set lo up
ip link add node0 type bridge && ip addr add $NODE/24 dev node0 && ip link set node0 up
ip route add $SERVICES dev node0 # so that the node itself reaches services, which kube-proxy rewrites
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1 net.ipv4.conf.all.rp_filter=0 || true
echo "nameserver 127.0.0.53" >"$R/resolv.conf"

run() { # program arguments...: in the background, with a log
	"$@" >"$R/log/$1.log" 2>&1 &
}
await() { # what command...
	for _ in $(seq 1200); do
		"${@:2}" >/dev/null 2>&1 && { echo "$SECONDS s: $1"; return; }
		sleep 0.25
	done
	echo "not so after $SECONDS s: $1"
	return 1
}
cat >"$R/containerd.toml" <<-T
	version = 2
	root = "$R/containerd"
	state = "/run/containerd"
	[plugins."io.containerd.grpc.v1.cri"]
	  sandbox_image = "craftista-check/pause:1"
	  restrict_oom_score_adj = true
	  [plugins."io.containerd.grpc.v1.cri".cni]
	    bin_dir = "$K/debs/usr/lib/cni"
	    conf_dir = "$R/cni"
T
cat >"$R/cni/10-pods.conflist" <<-J
	{"cniVersion": "0.4.0", "name": "pods", "plugins": [
	  {"type": "bridge", "bridge": "cni0", "isGateway": true, "hairpinMode": true,
	   "ipam": {"type": "host-local", "ranges": [[{"subnet": "$PODS"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
J
cat >"$R/kubelet.yaml" <<-Y
	apiVersion: kubelet.config.k8s.io/v1beta1
	kind: KubeletConfiguration
	failCgroupV1: false
	cgroupDriver: cgroupfs
	cgroupRoot: /$CGROUP
	oomScoreAdj: 0
	clusterDNS: [$DNS]
	clusterDomain: cluster.local
	resolvConf: $R/resolv.conf
	containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
	authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $R/pki/ca.crt}}
	authorization: {mode: Webhook}
	tlsCertFile: $R/pki/kubelet-server.crt
	tlsPrivateKeyFile: $R/pki/kubelet-server.key
	imageGCHighThresholdPercent: 100
	imageGCLowThresholdPercent: 99
	evictionHard: {}
Y
run containerd --config "$R/containerd.toml"
await "containerd answers" ctr version
for image in "$K"/images/*.tar; do ctr -n k8s.io images import "$image"; done >"$R/log/images.log" 2>&1
echo "$SECONDS s: the images are in"

p=$R/pki
run etcd --data-dir "$R/etcd" --unsafe-no-fsync
run kube-apiserver --etcd-servers=http://127.0.0.1:2379 --service-cluster-ip-range=$SERVICES --advertise-address=$NODE \
	--client-ca-file=$p/ca.crt --tls-cert-file=$p/apiserver.crt --tls-private-key-file=$p/apiserver.key \
	--service-account-issuer=https://kubernetes.default.svc --service-account-key-file=$p/sa.pub \
	--service-account-signing-key-file=$p/sa.key --authorization-mode=Node,RBAC \
	--enable-admission-plugins=NodeRestriction \
	--kubelet-certificate-authority=$p/ca.crt --kubelet-client-certificate=$p/apiserver-kubelet.crt \
	--kubelet-client-key=$p/apiserver-kubelet.key --kubelet-preferred-address-types=InternalIP \
	--requestheader-client-ca-file=$p/front.crt --requestheader-allowed-names=front-proxy-client \
	--requestheader-username-headers=X-Remote-User --requestheader-group-headers=X-Remote-Group \
	--requestheader-extra-headers-prefix=X-Remote-Extra- --proxy-client-cert-file=$p/front-client.crt \
	--proxy-client-key-file=$p/front-client.key --enable-aggregator-routing=true --profiling=false
export KUBECONFIG=$R/admin.conf
await "the API server is ready" kubectl get --raw /readyz
auth() { echo "--kubeconfig=$R/$1.conf --authentication-kubeconfig=$R/$1.conf --authorization-kubeconfig=$R/$1.conf"; }
run kube-controller-manager $(auth controllers) --service-account-private-key-file=$p/sa.key --root-ca-file=$p/ca.crt \
	--use-service-account-credentials --leader-elect=false --horizontal-pod-autoscaler-sync-period=5s \
	--horizontal-pod-autoscaler-downscale-stabilization=20s --horizontal-pod-autoscaler-initial-readiness-delay=5s \
	--horizontal-pod-autoscaler-cpu-initialization-period=10s
run kube-scheduler $(auth scheduler) --leader-elect=false
run kubelet --config="$R/kubelet.yaml" --kubeconfig="$R/kubelet.conf" --node-ip=$NODE --hostname-override=node1
run kube-proxy --kubeconfig="$R/proxy.conf" --hostname-override=node1 --proxy-mode=iptables --cluster-cidr=$PODS \
	--conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0s --conntrack-tcp-timeout-close-wait=0s \
	--oom-score-adj=0
run metrics-server $(auth admin) --secure-port=4443 --tls-cert-file=$p/metrics-server.crt \
	--tls-private-key-file=$p/metrics-server.key --kubelet-certificate-authority=$p/ca.crt \
	--kubelet-preferred-address-types=InternalIP --metric-resolution=10s --kubelet-request-timeout=5s
await "the node is ready" kubectl wait --for=condition=Ready node/node1 --timeout=1s
run netpol -kubeconfig "$R/admin.conf" -services $SERVICES # what enforces NetworkPolicies
kubectl apply -f <(sed "s#\$DNS#$DNS#; s#\$NODE#$NODE#; s#\$R#$R#" "$(dirname "${BASH_SOURCE[0]}")/addons.yaml")
touch "$R/up"
trap 'exit 0' TERM INT
while :; do wait -n || true; sleep 1; done

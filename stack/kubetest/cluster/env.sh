# What the scripts of the check's own cluster share. K keeps what was built; R is of one run.
export K=${KUBE_CACHE:-/var/tmp/craftista-kube}
export R=$K/run
NODE=198.18.0.1 PODS=198.18.64.0/24 SERVICES=198.18.128.0/20 API=198.18.128.1 DNS=198.18.128.10 CGROUP=craftista-kube
export PATH=$K/bin:$PATH:/usr/sbin:/sbin

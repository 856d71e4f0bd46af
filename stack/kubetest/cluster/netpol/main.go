// Command netpol turns NetworkPolicies into the node's iptables: kube-router's controller alone.
package main

import (
	"flag"
	"log"
	"sync"
	"time"

	"github.com/cloudnativelabs/kube-router/v2/pkg/controllers/netpol"
	"github.com/cloudnativelabs/kube-router/v2/pkg/healthcheck"
	"github.com/cloudnativelabs/kube-router/v2/pkg/options"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

func must[T any](v T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return v
}

func main() {
	kubeconfig := flag.String("kubeconfig", "", "")
	node := flag.String("node", "node1", "")
	services := flag.String("services", "", "range of ClusterIPs")
	flag.Parse()
	config := options.NewKubeRouterConfig()
	config.EnableIPv4, config.HostnameOverride, config.ClusterIPCIDRs = true, *node, []string{*services}
	config.IPTablesSyncPeriod = time.Minute
	client := must(kubernetes.NewForConfig(must(clientcmd.BuildConfigFromFlags("", *kubeconfig))))
	factory := informers.NewSharedInformerFactory(client, 0)
	core := factory.Core().V1()
	pods, spaces := core.Pods().Informer(), core.Namespaces().Informer()
	policies := factory.Networking().V1().NetworkPolicies().Informer()
	stop := make(chan struct{})
	factory.Start(stop)
	factory.WaitForCacheSync(stop)
	iptables, ipsets, err := netpol.NewIPTablesHandlers(config)
	if err != nil {
		log.Fatal(err)
	}
	c := must(netpol.NewNetworkPolicyController(client, config, pods, policies, spaces, new(sync.Mutex), iptables, ipsets))
	must(pods.AddEventHandler(c.PodEventHandler))
	must(spaces.AddEventHandler(c.NamespaceEventHandler))
	must(policies.AddEventHandler(c.NetworkPolicyEventHandler))
	beats := make(chan *healthcheck.ControllerHeartbeat)
	go func() {
		for range beats {
		}
	}()
	var wg sync.WaitGroup
	wg.Add(1)
	c.Run(beats, stop, &wg)
}

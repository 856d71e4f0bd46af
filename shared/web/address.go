package web

import (
	"net"
	"net/http"
	"net/netip"

	"github.com/go-chi/chi/v5/middleware"
)

// TrustProxies has ClientAddress believe the X-Forwarded-For of requests that come from one of the proxies: of its
// addresses the last that is no proxy's counts, since whatever stands before that one anybody can have written. With
// no proxies it believes nobody. An IPv4 network must not be given as an IPv6 one.
func TrustProxies(proxies []netip.Prefix, next http.Handler) http.Handler {
	if len(proxies) == 0 {
		return next
	}
	texts := make([]string, len(proxies))
	for i, p := range proxies {
		texts[i] = p.String()
	}
	return middleware.ClientIPFromXFF(texts...)(next)
}

// ClientAddress is the IP address of the request's client, "" if it did not come by TCP. Behind a proxy see
// TrustProxies; where that finds none, because the header is missing, malformed or names proxies only, it is the
// proxy's.
func ClientAddress(r *http.Request) string {
	if address := middleware.GetClientIP(r.Context()); address != "" {
		return address
	}
	peer, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	return peer
}

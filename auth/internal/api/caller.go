package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"

	"craftista/shared/fault"
	"craftista/shared/token"
	"craftista/shared/web"
)

// requireKey lets only requests with the internal key reach next. It checks that
// before anything else of the request is read.
func requireKey(key string, next web.Handler) web.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		if !hasKey(key, r) {
			return fault.New(fault.Unauthenticated, "this needs the internal API key")
		}
		return next(w, r)
	}
}

// hasKey reports whether the request's X-Internal-API-Key is key. It compares:
//   - hashes of both, in constant time, so that neither the bytes nor the length
//     of the key show in the time
//   - nothing if there is none: that is refused even if the key were empty
func hasKey(key string, r *http.Request) bool {
	given := r.Header.Get("X-Internal-API-Key")
	got, want := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(key))
	return given != "" && subtle.ConstantTimeCompare(got[:], want[:]) == 1
}

// person is who brings the request's bearer token: nobody if there is none, or if it
// was refused, which is no error here.
func person(v *token.Verifier, w http.ResponseWriter, r *http.Request) (u token.User, refused, err error) {
	err = token.Optional(v, func(_ http.ResponseWriter, r *http.Request) error {
		u = token.UserFrom(r.Context())
		return nil
	})(w, r)
	if kind := fault.KindOf(err); kind == fault.Unauthenticated || kind == fault.Forbidden {
		return u, err, nil
	}
	return u, nil, err
}

// network is where the person is, to throttle by: one IPv4 address or the /64 that
// one subscriber has of IPv6 (RFC 6177 section 2). It is the X-Client-Address of a
// request with the key, which the frontend sends; anybody else could write any
// address there, so that it is the client's.
func network(key string, r *http.Request) string {
	address, err := netip.ParseAddr(r.Header.Get("X-Client-Address"))
	if err != nil || !hasKey(key, r) {
		address, _ = netip.ParseAddr(web.ClientAddress(r))
	}
	address = address.Unmap().WithZone("")
	prefix, _ := address.Prefix(min(address.BitLen(), 64)) // a valid length
	return prefix.String()
}

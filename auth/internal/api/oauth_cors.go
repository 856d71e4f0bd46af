package api

import (
	"context"
	"net/http"

	"craftista/shared/web"

	"github.com/rs/cors"
)

// crossOrigin lets scripts of other origins read what an OAuth client in a browser
// needs (the CORS protocol of the Fetch standard): those of any origin the public
// documents, and those of the origins that clients come back to the other endpoints.
// Cookies are for none of them.
func (o oauth) crossOrigin(next http.Handler) http.Handler {
	anybody := cors.Default().Handler(next)
	clients := cors.New(cors.Options{
		AllowOriginVaryRequestFunc: o.knownOrigin, AllowedHeaders: []string{"Authorization", "Content-Type"},
		ExposedHeaders: []string{"WWW-Authenticate", "Retry-After"}, MaxAge: 300,
	}).Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/.well-known/jwks.json", "/.well-known/openid-configuration":
			anybody.ServeHTTP(w, r)
		case "/oauth2/token", "/oauth2/userinfo", "/oauth2/revoke":
			clients.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// knownOrigin reports whether a client is registered with a redirect URI of the
// origin. The answer depends on no header but Origin.
func (o oauth) knownOrigin(r *http.Request, origin string) (bool, []string) {
	if origin == "" {
		return false, nil
	}
	ctx, cancel := context.WithTimeout(r.Context(), web.RequestTimeout)
	defer cancel()
	known, err := o.Provider.KnownOrigin(ctx, origin)
	if err != nil {
		web.RecordError(ctx, err)
	}
	return known, nil
}

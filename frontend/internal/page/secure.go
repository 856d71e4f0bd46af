package page

import (
	"net/http"
	"net/url"
	"strings"

	"craftista/frontend/internal/session"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/token"
	"craftista/shared/web"
)

// contentSecurityPolicy lets a page load what this site serves and nothing else, but for pictures
// that its script has from a form's file. It allows no
// inline script, no inline style and no eval, so injected markup stays markup.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
	"font-src 'self'; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"

// crossSite tells, of the two reasons to forbid something, which it is.
const crossSite = "cross_site"

// headers sets what every response carries.
func (s *site) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.settings.Secure || r.TLS != nil {
			h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
		}
		next.ServeHTTP(w, r)
	})
}

const privacyPath = "/privacy"

// privacy answers GET /privacy.
func (s *site) privacy(w http.ResponseWriter, r *http.Request) error {
	return s.page(w, r, http.StatusOK, "Privacy", view.PrivacyPage())
}

// traceURL is where the trace of the request is shown, "" for people who cannot open it or for
// whom it is not: a viewer on this machine is for its own browsers, another for curators and
// admins.
func (s *site) traceURL(r *http.Request) string {
	viewer, err := url.Parse(s.settings.TraceURLTemplate)
	if err != nil || viewer.Host == "" {
		return ""
	}
	who := session.From(r.Context())
	if isLoopback(*viewer) && !isLoopback(url.URL{Host: r.Host}) ||
		!isLoopback(*viewer) && (who.State != session.SignedIn || who.User.Role == token.RoleUser) {
		return ""
	}
	return strings.ReplaceAll(s.settings.TraceURLTemplate, "{id}", telemetry.TraceID(r.Context()))
}

// withoutSlash leads from the address of a page with a slash at its end to the page itself.
func withoutSlash(routes *web.Router) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			path, cut := strings.CutSuffix(r.URL.Path, "/")
			if !cut || path == "" || r.Method != http.MethodGet && r.Method != http.MethodHead ||
				routes.Pattern(http.MethodGet, path) == "" {
				next.ServeHTTP(w, r)
				return
			}
			to := url.URL{Path: path, RawQuery: r.URL.RawQuery}
			http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
		})
	}
}

// sameOrigin refuses what another site's page sends here with this person's
// cookie: any unsafe method whose Sec-Fetch-Site, or failing that Origin, names
// another origin. Requests with neither come from no browser and pass.
func (s *site) sameOrigin(next http.Handler) http.Handler {
	protection := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := protection.Check(r); err != nil {
			refused := &fault.Error{Kind: fault.Forbidden, Message: "this request came from another site", Code: crossSite}
			err = refused.Because(err)
			web.RecordError(r.Context(), err)
			s.fail(w, r, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

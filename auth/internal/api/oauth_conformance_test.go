package api_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// TestConformanceSuite has the modules of the OpenID Foundation's basic plan that
// change one request, each with PKCE: the change, and the error if one is wanted.
// SECURITY.md has the other modules of the basic and the config plan.
func TestConformanceSuite(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	access := s.signIn(t)
	a := s.client(t, allScopes)
	for _, row := range []string{
		"oidcc-server state=s",
		"oidcc-server-client-secret-post state=s",
		"oidcc-ensure-request-with-valid-pkce-succeeds state=s",
		"oidcc-ensure-request-without-nonce-succeeds-for-code-flow nonce=",
		"oidcc-scope-address scope=openid+address",
		"oidcc-scope-phone scope=openid+phone",
		"oidcc-scope-all scope=openid+profile+email+address+phone",
		"oidcc-ensure-other-scope-order-succeeds scope=email+openid",
		"oidcc-display-page display=page",
		"oidcc-display-popup display=popup",
		"oidcc-ensure-request-with-unknown-parameter-succeeds extra=foobar",
		"oidcc-login-hint login_hint=buffy%40example.com",
		"oidcc-ui-locales ui_locales=se",
		"oidcc-claims-locales claims_locales=se",
		"oidcc-ensure-request-with-acr-values-succeeds acr_values=1+2",
		"oidcc-claims-essential claims=%7B%22userinfo%22%3A%7B%22name%22%3A%7B%22essential%22%3Atrue%7D%7D%7D",
		"oidcc-response-type-missing response_type= invalid_request",
		"oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported request=e30.e30. request_not_supported",
		"oidcc-request-uri-unsigned request_uri=https%3A%2F%2Fapp.example%2Fr request_uri_not_supported",
		"oidcc-ensure-registered-redirect-uri redirect_uri=https%3A%2F%2Fapp.example%2Fother shown",
		"oidcc-ensure-redirect-uri-in-authorization-request redirect_uri= shown",
		"oidcc-ensure-request-object-with-redirect-uri request=e30.e30.&redirect_uri=https%3A%2F%2Fevil shown",
	} {
		fields := strings.Fields(row + " success")
		change, err := url.ParseQuery(fields[1])
		if err != nil {
			t.Fatal(err)
		}
		q := a.request()
		for name := range change {
			set(q, map[string]string{name: change.Get(name)})
		}
		switch want := fields[2]; want {
		case "shown":
			wantStatus(t, fields[0], s.get(t, authorizePath+"?"+q.Encode()), http.StatusBadRequest)
		case "success":
			as, form := a, codeGrant(s.code(t, access, q))
			if fields[0] == "oidcc-server-client-secret-post" {
				as, form = app{}, set(form, map[string]string{"client_id": a.ID, "client_secret": a.Secret})
			}
			got := s.exchange(t, as, form)
			wantStatus(t, fields[0]+" "+got.Error, s.getAs(t, got.Access, userinfoPath), http.StatusOK)
		default:
			equal(t, fields[0], s.decided(t, access, q, true).Get("error"), want)
		}
	}
}

package web_test

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"craftista/shared/telemetry"
	"craftista/shared/web"

	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestClientAddress is that of the last who is not trusted, for handlers and for traces.
func TestClientAddress(t *testing.T) {
	t.Parallel()
	const proxies = "10.0.0.0/8 fd00::/8 192.168.7.1/32"
	for name, row := range map[string]struct {
		proxies, peer string
		forwarded     []string // a header each
		want          string
	}{
		"nobody is trusted":         {"", "10.0.0.1:5", []string{"192.0.2.1"}, "10.0.0.1"},
		"no proxy":                  {proxies, "192.0.2.1:5", nil, "192.0.2.1"},
		"a stranger spoofs":         {proxies, "192.0.2.1:5", []string{"192.0.2.9"}, "192.0.2.1"},
		"a stranger with proxies":   {proxies, "192.0.2.1:5", []string{"192.0.2.9, 10.0.0.1"}, "192.0.2.1"},
		"by a proxy":                {proxies, "10.0.0.1:5", []string{"192.0.2.1"}, "192.0.2.1"},
		"by several":                {proxies, "10.0.0.1:5", []string{"192.0.2.1,192.168.7.1 , 10.2.3.4"}, "192.0.2.1"},
		"a spoof by a proxy":        {proxies, "10.0.0.1:5", []string{"192.0.2.9, 192.0.2.1"}, "192.0.2.1"},
		"a spoof in another header": {proxies, "10.0.0.1:5", []string{"192.0.2.9", "192.0.2.1"}, "192.0.2.1"},
		"an unknown proxy":          {proxies, "10.0.0.1:5", []string{"192.0.2.1, 192.168.7.2"}, "192.168.7.2"},
		"IPv6":                      {proxies, "[fd00::1]:5", []string{"2001:db8::1, fd00::2"}, "2001:db8::1"},
		"an IPv6 stranger":          {proxies, "[2001:db8::1]:5", []string{"2001:db8::9"}, "2001:db8::1"},
		"IPv4 in IPv6":              {proxies, "[::ffff:10.0.0.1]:5", []string{"192.0.2.1, ::ffff:10.0.0.2"}, "192.0.2.1"},
		"a stranger in IPv6":        {proxies, "[::ffff:192.0.2.1]:5", []string{"192.0.2.9"}, "192.0.2.1"},
		"with a zone":               {proxies, "10.0.0.1:5", []string{"192.0.2.1, fd00::1%eth0"}, "192.0.2.1"},
		"no header":                 {proxies, "10.0.0.1:5", nil, "10.0.0.1"},
		"an empty header":           {proxies, "10.0.0.1:5", []string{", ,"}, "10.0.0.1"},
		"proxies only":              {proxies, "10.0.0.1:5", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.1"},
		"malformed":                 {proxies, "10.0.0.1:5", []string{"192.0.2.9, <script>"}, "10.0.0.1"},
		"malformed, but earlier":    {proxies, "10.0.0.1:5", []string{"<script>, 192.0.2.1"}, "192.0.2.1"},
		"with a port":               {proxies, "10.0.0.1:5", []string{"192.0.2.1:80"}, "10.0.0.1"},
		"not by TCP":                {proxies, "@", []string{"192.0.2.9"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spans := tracetest.NewInMemoryExporter()
			router := newRouter(t, telemetry.Options{Exporter: spans})
			router.Get("/", func(w http.ResponseWriter, r *http.Request) error {
				_, err := w.Write([]byte(web.ClientAddress(r)))
				return err
			})
			r, res := httptest.NewRequest("GET", "/", nil), httptest.NewRecorder()
			r.RemoteAddr, r.Header["X-Forwarded-For"] = row.peer, row.forwarded
			web.TrustProxies(networks(row.proxies), router).ServeHTTP(res, r)
			traced := attributes(spans.GetSpans()[0])["client.address"]
			if got := res.Body.String(); got != row.want || traced != row.want {
				t.Errorf("handlers get %q and traces %q, want %q", got, traced, row.want)
			}
		})
	}
}

// networks are those in the text, with spaces between them.
func networks(text string) (all []netip.Prefix) {
	for prefix := range strings.FieldsSeq(text) {
		all = append(all, netip.MustParsePrefix(prefix))
	}
	return all
}

package api_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"craftista/shared/fault"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

// answer is a response that has been read.
type answer struct {
	Status int
	Header http.Header
	Body   string
}

// request asks the service, and follows no redirect; body is sent as JSON text unless it is empty.
func (s *service) request(t *testing.T, method, path, body string, headers ...string) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Error(err) // may be called from a goroutine, where Fatal may not
		return answer{}
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Error(err)
	}
	return answer{Status: res.StatusCode, Header: res.Header, Body: string(text)}
}

func (s *service) get(t *testing.T, path string, headers ...string) answer {
	t.Helper()
	return s.request(t, http.MethodGet, path, "", headers...)
}

// getAs is get with an access token.
func (s *service) getAs(t *testing.T, access, path string) answer {
	t.Helper()
	return s.get(t, path, "Authorization", "Bearer "+access)
}

// postJSON posts v as JSON.
func (s *service) postJSON(t *testing.T, path string, v any, headers ...string) answer {
	t.Helper()
	return s.request(t, http.MethodPost, path, text(t, v), headers...)
}

// withKey are the headers of the frontend for somebody at that address.
func withKey(address string) []string {
	return []string{"X-Internal-API-Key", internalKey, "X-Client-Address", address}
}

type registration struct {
	Username string `json:"username"`
	Email    string `json:"email"`
	Password string `json:"password"`
}

func (s *service) register(t *testing.T, username, email, password string) answer {
	t.Helper()
	return s.postJSON(t, registerPath, registration{username, email, password}, "X-Internal-API-Key", internalKey)
}

func (s *service) login(t *testing.T, name, password string, headers ...string) answer {
	t.Helper()
	return s.postJSON(t, loginPath, map[string]string{"username": name, "password": password}, headers...)
}

// tokens are what login and refresh reply.
type tokens struct {
	Access           string `json:"access_token"`
	Type             string `json:"token_type"`
	ExpiresIn        int64  `json:"expires_in"`
	Refresh          string `json:"refresh_token"`
	RefreshExpiresIn int64  `json:"refresh_expires_in"`
}

// tokens signs in the person that person registered.
func (s *service) tokens(t *testing.T, headers ...string) tokens {
	t.Helper()
	a := s.login(t, "Crane", password, headers...)
	if a.Status != http.StatusOK {
		t.Fatalf("login: %d %s", a.Status, a.Body)
	}
	return read[tokens](t, a)
}

// signIn returns an access token of the person that person registered.
func (s *service) signIn(t *testing.T) string {
	t.Helper()
	return s.tokens(t).Access
}

func (s *service) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := s.admin.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
}

// problem is what of a problem is the same each time.
type problem struct {
	Type     string        `json:"type"`
	Title    string        `json:"title"`
	Status   int           `json:"status"`
	Detail   string        `json:"detail"`
	Instance string        `json:"instance"`
	Errors   []fault.Field `json:"errors"`
}

// wantProblem checks that the answer is that problem, with its status and media type.
func wantProblem(t *testing.T, a answer, status int, path, detail string, fields ...fault.Field) {
	t.Helper()
	equal(t, "problem", read[problem](t, a), problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: detail, Instance: path, Errors: fields,
	})
	wantStatus(t, detail, a, status)
	equal(t, "Content-Type", a.Header.Get("Content-Type"), "application/problem+json")
}

// wantStatus checks the status, and that who has to wait learns how long.
func wantStatus(t *testing.T, what string, a answer, want int) {
	t.Helper()
	if a.Status != want {
		t.Errorf("%s: %d %s, want %d", what, a.Status, a.Body, want)
	}
	throttled := a.Status == http.StatusTooManyRequests
	if after := a.Header.Get("Retry-After"); (after != "") != throttled && a.Status != http.StatusServiceUnavailable {
		t.Errorf("%s: %d with Retry-After %q", what, a.Status, after)
	}
}

func wantNoContent(t *testing.T, what string, a answer) {
	t.Helper()
	wantStatus(t, what, a, http.StatusNoContent)
	equal(t, "body", a.Body, "")
	equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "no-store")
}

// wantLog checks that the event is in the log, by a part of its JSON.
func (s *service) wantLog(t *testing.T, event string) {
	t.Helper()
	if logged := s.logs.String(); !strings.Contains(logged, event) {
		t.Errorf("%s is not in the log:\n%s", event, logged)
	}
}

// wantCount checks the count that a query gives.
func (s *service) wantCount(t *testing.T, what, query string, want int) {
	t.Helper()
	var got int
	if err := s.admin.GetContext(t.Context(), &got, query); err != nil {
		t.Fatal(err)
	}
	equal(t, what, got, want)
}

func equal[T any](t *testing.T, what string, got, want T, options ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(got, want, options...); diff != "" {
		t.Errorf("%s (-got +want):\n%s", what, diff)
	}
}

func read[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil {
		t.Errorf("read %q: %v", a.Body, err)
	}
	return v
}

func text(t testing.TB, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// atOnce calls do from n goroutines that start together and counts what it returns.
func atOnce[T comparable](n int, do func(i int) T) map[T]int {
	var mu sync.Mutex // guards counts
	counts := map[T]int{}
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-begin
			got := do(i)
			mu.Lock()
			defer mu.Unlock()
			counts[got]++
		})
	}
	close(begin)
	wg.Wait()
	return counts
}

type parsed struct {
	header map[string]any
	claims jwt.MapClaims
}

func claimsOf(t *testing.T, raw string) parsed {
	t.Helper()
	claims := jwt.MapClaims{}
	read, _, err := jwt.NewParser().ParseUnverified(raw, claims)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{header: read.Header, claims: claims}
}

// hostile are texts that have broken other services.
func hostile() []string {
	return []string{
		"", " ", "\x00", "\xff\xfe", "' OR 1=1 --", `\`, "%", "журавль", "\u202e", "\U0001f426", "{}", "null",
		strings.Repeat("a", 73), strings.Repeat("é", 127) + "@example.com", "Crane@Example.com", "İ@example.com",
	}
}

// send posts the body as the frontend would and reports a status that is not
// among those.
func (s *service) send(t testing.TB, path string, body any, among ...int) int {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(text(t, body)))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Internal-API-Key", internalKey)
	res := httptest.NewRecorder()
	s.router.ServeHTTP(res, r)
	if !slices.Contains(among, res.Code) {
		t.Errorf("%s %+v: %d %s", path, body, res.Code, res.Body)
	}
	return res.Code
}

package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// hostile are texts that have broken other services.
func hostile() []string {
	return []string{
		"", " ", "\x00", "\xff\xfe", "' OR 1=1 --", `\`, "%", "журавль", "\u202e", "\U0001f426", "{}", "null",
		strings.Repeat("a", 73), strings.Repeat("é", 127) + "@example.com", "Crane@Example.com", "İ@example.com",
	}
}

// FuzzLogin holds that no name and password are answered with a failure of ours,
// and that nobody gets in but with the password.
func FuzzLogin(f *testing.F) {
	s := start(f, setup{})
	s.send(f, registerPath, registration{"Crane", "Crane@Example.com", password}, http.StatusOK)
	f.Add("Crane", password)
	for _, text := range hostile() {
		f.Add("Crane", text)
		f.Add(text, password)
	}
	f.Fuzz(func(t *testing.T, username, given string) {
		status := s.send(t, loginPath, map[string]string{"username": username, "password": given},
			http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge)
		if status == http.StatusOK && given != password {
			t.Errorf("%q gets in with %q", username, given)
		}
	})
}

// FuzzRegister holds that no registration is answered with a failure of ours, and
// that who registers can sign in, by name and by address.
func FuzzRegister(f *testing.F) {
	s := start(f, setup{})
	f.Add("Crane", "Crane@Example.com", password)
	for i, text := range hostile() {
		f.Add(text, "crane@example.com", password)
		f.Add("crane"+string(rune('a'+i)), text, password)
		f.Add("crane"+string(rune('a'+i)), string(rune('a'+i))+"@example.com", text)
	}
	f.Fuzz(func(t *testing.T, username, email, given string) {
		status := s.send(t, registerPath, registration{username, email, given},
			http.StatusOK, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge)
		if status == http.StatusOK {
			s.send(t, loginPath, map[string]string{"username": username, "password": given}, http.StatusOK)
			s.send(t, loginPath, map[string]string{"username": email, "password": given}, http.StatusOK)
		}
	})
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

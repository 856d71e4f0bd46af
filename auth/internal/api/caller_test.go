package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"craftista/shared/fault"
)

// TestAnEmptyKeyLetsNobodyIn, even where the settings were not checked.
func TestAnEmptyKeyLetsNobodyIn(t *testing.T) {
	t.Parallel()
	handler := requireKey("", func(http.ResponseWriter, *http.Request) error { return nil })
	for _, key := range []string{"", "x"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("X-Internal-API-Key", key)
		if err := handler(httptest.NewRecorder(), r); fault.KindOf(err) != fault.Unauthenticated {
			t.Errorf("the key %q: %v", key, err)
		}
	}
}

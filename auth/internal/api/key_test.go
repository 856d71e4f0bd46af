package api

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"craftista/shared/fault"
)

// TestAnEmptyKeyLetsNobodyIn holds even where the settings were not checked.
func TestAnEmptyKeyLetsNobodyIn(t *testing.T) {
	t.Parallel()
	guarded := requireKey("", func(http.ResponseWriter, *http.Request) error { return nil })
	for _, key := range []string{"", "x"} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("X-Internal-API-Key", key)
		if got := fault.KindOf(guarded(httptest.NewRecorder(), r)); got != fault.Unauthenticated {
			t.Errorf("the key %q: kind %d, want %d", key, got, fault.Unauthenticated)
		}
	}
}

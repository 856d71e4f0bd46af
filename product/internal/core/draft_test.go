package core_test

import (
	"encoding/json"
	"testing"

	"craftista/product/internal/core"
)

// TestOptionalFieldsChangeNoHash: idempotency keys are stored with a hash of the draft's JSON,
// which must stay what it was before a draft could have a maker.
func TestOptionalFieldsChangeNoHash(t *testing.T) {
	t.Parallel()
	got, err := json.Marshal(core.Draft{Name: "Heron", Folds: 40})
	const want = `{"Name":"Heron","Description":"","ImageURL":"","Difficulty":"","Folds":40,"Paper":""}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

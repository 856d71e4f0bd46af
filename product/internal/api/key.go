package api

import (
	"net/http"
	"regexp"

	"craftista/shared/fault"
)

// keyHeader names what a caller sends to ask again without having it done twice
// (draft-ietf-httpapi-idempotency-key-header).
const keyHeader = "Idempotency-Key"

// keyPattern matches a key as the draft has it, in quotes, or as most send it, without.
// It has no escapes, so that both ways are the same key.
var keyPattern = regexp.MustCompile(`^(?:"([A-Za-z0-9._-]{1,100})"|([A-Za-z0-9._-]{1,100}))$`)

// key reads Idempotency-Key, "" if there is none. Two keys and what is no key are
// Invalid: to pass over them would be to do it twice.
func key(r *http.Request) (string, error) {
	sent := r.Header.Values(keyHeader)
	if len(sent) == 0 {
		return "", nil
	}
	found := keyPattern.FindStringSubmatch(sent[0])
	if len(sent) > 1 || found == nil {
		return "", fault.Broken(keyHeader, "must be one key of 1 to 100 letters, digits, dots, dashes or underscores")
	}
	return found[1] + found[2], nil
}

// Package secrets makes the random texts that auth gives out and stores as hashes only.
package secrets

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
)

// New is 256 random bits as 43 letters that need no escaping anywhere.
func New() string {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(bits[:])
}

// Digest is SHA-256, by which secrets are stored and found. It needs neither salt
// nor cost: nobody guesses 256 random bits.
func Digest(raw string) []byte {
	sum := sha256.Sum256([]byte(raw))
	return sum[:]
}

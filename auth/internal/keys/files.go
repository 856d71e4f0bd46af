package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// bits is the length of a new key. 2048 are as strong as 112-bit symmetric keys,
// enough through 2030 (NIST SP 800-57 part 1, table 4) for tokens that live for
// minutes; 3072 would sign three times slower and make every request longer.
const bits = 2048

// read returns the key in the file. It checks:
//   - that the file is open to its owner only, since who reads it can sign as anybody
//   - that it is one PKCS#8 RSA key in PEM (RFC 5958, RFC 7468) whose numbers fit
//     each other
//   - that the key has 2048 bits or more (RFC 7518 section 3.3)
func read(path string) (*rsa.PrivateKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if err := ownerOnly(path, info); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	block, rest := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" || strings.TrimSpace(string(rest)) != "" {
		return nil, fmt.Errorf("%s is not one PKCS#8 private key in PEM", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%s is not a PKCS#8 private key: %w", path, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok || key.N.BitLen() < 2048 {
		return nil, fmt.Errorf("%s is not an RSA key of 2048 bits or more", path)
	}
	return key, nil
}

// ownerOnly refuses what group or others can read, write or enter. Windows keeps
// access lists instead of these bits, so there is nothing to check there.
func ownerOnly(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o, and signing keys must be open to their owner only: chmod %04o %s",
			path, mode, mode&0o700, path)
	}
	return nil
}

// create makes dir, if it is not there, and a key of that name in it. The key is
// written whole under a name that no service reads and then linked to its own,
// which fails with fs.ErrExist for all but one of the processes that do so at once.
func create(dir, name string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, ".draft-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft.Name())) }()
	if err := errors.Join(generate(draft), draft.Sync(), draft.Close()); err != nil {
		return fmt.Errorf("write %s: %w", draft.Name(), err)
	}
	return os.Link(draft.Name(), filepath.Join(dir, name))
}

// generate writes a new key.
func generate(w io.Writer) error {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return fmt.Errorf("make key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("encode key: %w", err)
	}
	return pem.Encode(w, &pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

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
	"slices"
	"strings"
)

// bits is the length of a new key. 2048 are as strong as 112-bit symmetric keys,
// enough through 2030 (NIST SP 800-57 part 1, table 4) for tokens that live for
// minutes; 3072 would sign three times slower and make every request longer.
const bits = 2048

// The names end in a number that grows, so that the newest key is the last by
// name, and two processes that make the same next key collide.
const (
	suffix    = ".pem"
	firstName = "key-0001" + suffix
)

// load reads every file of dir that ends in .pem, the last by name first. No
// directory is no keys. It checks:
//   - that dir and files are open to their owner only, since who can write there
//     signs as anybody
//   - that each file is one PKCS#8 RSA key in PEM (RFC 5958, RFC 7468) whose
//     numbers fit each other
//   - that the key has 2048 bits or more (RFC 7518 section 3.3)
func load(dir string) ([]*rsa.PrivateKey, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case !info.IsDir():
		return nil, fmt.Errorf("%s is not a directory", dir)
	}
	if err := ownerOnly(dir, info); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir) // sorted by name
	if err != nil {
		return nil, err
	}
	var keys []*rsa.PrivateKey
	for _, entry := range slices.Backward(entries) {
		if !strings.HasSuffix(entry.Name(), suffix) {
			continue
		}
		key, err := read(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

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
// access lists instead of these bits, so there is nothing to see there.
func ownerOnly(path string, info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return fmt.Errorf("%s has mode %04o, and signing keys must be open to their owner only: chmod %04o %s",
			path, mode, mode&0o700, path)
	}
	return nil
}

// create makes dir, if it is not there, and the first key in it. The key is
// written whole under a name that load does not read and then linked to its
// own, which fails for all but one of the processes that start at once: the
// others throw theirs away.
func create(dir string) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	draft, err := os.CreateTemp(dir, ".draft-*") // with mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(draft.Name())) }()
	if err := errors.Join(write(draft), draft.Sync(), draft.Close()); err != nil {
		return fmt.Errorf("write %s: %w", draft.Name(), err)
	}
	if err := os.Link(draft.Name(), filepath.Join(dir, firstName)); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

func write(w io.Writer) error {
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

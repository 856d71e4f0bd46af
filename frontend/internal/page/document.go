package page

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"slices"
	"strconv"
	"sync"

	"github.com/klauspost/compress/flate"
)

// document is a page for many readers that names the trace of each. It is kept
// in the parts between these names, as they are and deflated, so that sending it
// compresses nothing.
type document struct {
	status int
	header http.Header
	parts  [][]byte
	size   int // of parts
	sum    uint32
	zipped func() ([][]byte, error) // made for the first reader who takes gzip
}

// newDocument cuts body at the trace id that it was made under.
func newDocument(status int, header http.Header, body []byte, traceID string) *document {
	d := &document{status: status, header: header, parts: [][]byte{body}}
	if traceID != "" {
		d.parts = bytes.Split(body, []byte(traceID))
	}
	for _, p := range d.parts {
		d.size += len(p)
	}
	d.sum = crc32.ChecksumIEEE(d.parts[0])
	d.zipped = sync.OnceValues(d.deflate)
	return d
}

// send sends the document with the reader's own trace id, which the Router has
// put into the header already.
func (d *document) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	for name, values := range d.header {
		h[name] = slices.Clip(values) // for others to append to, not to write in
	}
	id := []byte(h.Get("Trace-Id"))
	parts, size := d.parts, d.size+(len(d.parts)-1)*len(id)
	if takesGzip(r) {
		if zipped, err := d.zipped(); err == nil { // else as it is
			parts, size = d.members(zipped, id, uint32(size)) //nolint:gosec // gzip's own size is modulo 2^32
			h.Set("Content-Encoding", "gzip")
			id = stored(id)
		}
	}
	h.Set("Content-Length", strconv.Itoa(size))
	w.WriteHeader(d.status)
	for i, p := range parts {
		if i > 0 {
			_, _ = w.Write(id) // the reader hung up: nobody left to tell
		}
		_, _ = w.Write(p)
	}
}

// members are the parts of a gzip file (RFC 1952) around stored ids, and its
// size: the header before the first, the checksum and the plain size after the
// last.
func (d *document) members(zipped [][]byte, id []byte, plain uint32) ([][]byte, int) {
	parts := make([][]byte, len(zipped))
	copy(parts, zipped)
	sum := d.sum
	for _, p := range d.parts[1:] {
		sum = crc32.Update(crc32.Update(sum, crc32.IEEETable, id), crc32.IEEETable, p)
	}
	last := len(parts) - 1
	end := make([]byte, 0, len(parts[last])+8)
	end = append(end, parts[last]...)
	end = binary.LittleEndian.AppendUint32(end, sum)
	parts[last] = binary.LittleEndian.AppendUint32(end, plain)
	size := last * len(stored(id))
	for _, p := range parts {
		size += len(p)
	}
	return parts, size
}

// stored is text as a block that is not compressed (RFC 1951 section 3.2.4).
func stored(text []byte) []byte {
	n := uint16(len(text)) //nolint:gosec // an id has 32 bytes
	block := binary.LittleEndian.AppendUint16([]byte{0}, n)
	block = binary.LittleEndian.AppendUint16(block, ^n)
	return append(block, text...)
}

// deflate compresses each part by itself, all but the last up to a whole byte.
// None refers to bytes before its first, which are another's id.
func (d *document) deflate() ([][]byte, error) {
	parts := make([][]byte, len(d.parts))
	for i, p := range d.parts {
		var b bytes.Buffer
		if i == 0 {
			b.Write([]byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff}) // no name, no time, any system
		}
		z, err := flate.NewWriter(&b, flate.DefaultCompression)
		if err != nil {
			return nil, err
		}
		if _, err := z.Write(p); err != nil {
			return nil, err
		}
		end := z.Flush
		if i == len(d.parts)-1 {
			end = z.Close
		}
		if err := end(); err != nil {
			return nil, err
		}
		parts[i] = b.Bytes()
	}
	return parts, nil
}

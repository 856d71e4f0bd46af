package page

import (
	"bytes"
	"net/http"
	"slices"
	"strconv"
)

// document is a page for many readers that names the trace of each. It is kept
// in the parts between these names.
type document struct {
	status int
	header http.Header
	parts  [][]byte
	size   int // of parts
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
	return d
}

// send sends the document with the reader's own trace id, which the Router has
// put into the header already.
func (d *document) send(w http.ResponseWriter) {
	h := w.Header()
	for name, values := range d.header {
		h[name] = slices.Clip(values) // for others to append to, not to write in
	}
	id := []byte(h.Get("Trace-Id"))
	h.Set("Content-Length", strconv.Itoa(d.size+(len(d.parts)-1)*len(id)))
	w.WriteHeader(d.status)
	for i, p := range d.parts {
		if i > 0 {
			_, _ = w.Write(id) // the reader hung up: nobody left to tell
		}
		_, _ = w.Write(p)
	}
}

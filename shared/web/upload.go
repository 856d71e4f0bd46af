package web

import (
	"net/http"
	"time"
)

// UploadTimeout bounds a request with a large body, from its header to the end of
// its answer: 12 MiB arrive in two minutes at 0.9 Mbit/s.
const UploadTimeout = 2 * time.Minute

// PostUpload is Post for bodies of megabytes, which take a phone longer than the server
// and Timeout allow other requests: UploadTimeout counts instead.
func (r *Router) PostUpload(pattern string, h Handler) {
	r.mux.Post(pattern, r.adapt(r.withTimeout(UploadTimeout, func(w http.ResponseWriter, req *http.Request) error {
		control, end := http.NewResponseController(w), time.Now().Add(UploadTimeout)
		_ = control.SetReadDeadline(end) // an error is a test's recorder, which has no deadlines
		_ = control.SetWriteDeadline(end)
		return h(w, req)
	})))
}

package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"craftista/shared/fault"
)

// MaxBody is the largest request body that is read, in bytes.
const MaxBody = 64 << 10

// Decode reads the one JSON value of the request body, strictly. It checks the
// media type (415), the size (413), that the text is UTF-8 JSON of T's shape and
// that nothing follows it (400). The fields of an object are those of T, a
// struct, spelt exactly so and each at most once (400): where encoding/json lets
// names differ in case and the last of two win, two readers of one body could
// differ about what it says.
func Decode[T any](r *http.Request) (T, error) {
	var v T
	_, body, err := ReadBody(r, MaxBody, "application/json")
	if err != nil {
		return v, err
	}
	if !utf8.Valid(body) {
		return v, fault.New(fault.BadRequest, "the body is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if err := d.Decode(&v); err != nil {
		return v, fault.New(fault.BadRequest, "%s", decodeMessage(err)) // err may repeat what is in the body
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, fault.New(fault.BadRequest, "the body holds more than one JSON value")
	}
	return v, checkNames[T](body)
}

// ReadBody reads a request body of one of the media types (415) and of at most
// so many bytes (413), to its end (400), and says which of the types it is.
func ReadBody(r *http.Request, most int64, mediaTypes ...string) (mediaType string, body []byte, err error) {
	mediaType, _, err = mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || !slices.Contains(mediaTypes, mediaType) {
		return "", nil, fault.New(fault.Unsupported, "the body must be %s", strings.Join(mediaTypes, " or "))
	}
	body, err = io.ReadAll(http.MaxBytesReader(nil, r.Body, most))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return "", nil, fault.New(fault.TooLarge, "the body is over %d bytes", most)
	}
	if err != nil {
		return "", nil, fault.New(fault.BadRequest, "the body ended early").Because(err)
	}
	return mediaType, body, nil
}

// checkNames refuses names that T has not and names that come twice. The body is
// one JSON value of T's shape.
func checkNames[T any](body []byte) error {
	known := map[string]int{} // how often each name may still come
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		known[name] = 1
	}
	d := json.NewDecoder(bytes.NewReader(body))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return fault.New(fault.BadRequest, "the body cannot be a JSON null").Because(err) // nothing else was let through
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		text, _ := name.(string)
		left, ok := known[text]
		switch {
		case !ok:
			return fault.New(fault.BadRequest, "the body has the unknown field").Quoting(text)
		case left == 0:
			return fault.New(fault.BadRequest, "the body has the field %q twice", text)
		}
		known[text]--
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
	}
	return nil
}

// decodeMessage says what is wrong without Go's names for it.
func decodeMessage(err error) string {
	var shape *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &shape) && shape.Field != "":
		kind, _, _ := strings.Cut(shape.Value, " ") // without the number itself
		return fmt.Sprintf("the field %s cannot be a JSON %s", shape.Field, kind)
	case errors.As(err, &shape):
		return fmt.Sprintf("the body cannot be a JSON %s", shape.Value)
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not JSON, see byte %d", syntax.Offset)
	case errors.Is(err, io.EOF):
		return "the body is empty"
	default:
		return "the body is not complete JSON"
	}
}

// PathID is the id that stands at {id} in the matched pattern; anything but a
// positive 64-bit integer is NotFound.
func PathID(r *http.Request) (int64, error) {
	text := Param(r, "id")
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id < 1 || text[0] == '+' || text[0] == '0' {
		return 0, fault.New(fault.NotFound, "nothing has the id %q", text)
	}
	return id, nil
}

// NextLink is the Link header (RFC 8288) to the page after the cursor, with the
// caller's other parameters as they came.
func NextLink(u *url.URL, cursor string) string {
	q := u.Query()
	q.Set("cursor", cursor)
	next := url.URL{Path: u.Path, RawQuery: q.Encode()}
	return "<" + next.String() + `>; rel="next"`
}

// Reply sends v as JSON that no cache stores.
func Reply(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // an error means that the client disconnected
	return nil
}

// ReplyJSONWithETag answers a GET with v as JSON, with Cache-Control and a strong
// ETag of its bytes, or with 304 and no body if the client has them already.
func ReplyJSONWithETag(w http.ResponseWriter, r *http.Request, cacheControl string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode reply: %w", err)
	}
	ReplyBytes(w, r, cacheControl, "application/json", body)
	return nil
}

// ReplyBytes is ReplyJSONWithETag for a body that is encoded already.
func ReplyBytes(w http.ResponseWriter, r *http.Request, cacheControl, mediaType string, body []byte) {
	ReplyWithETag(w, r, cacheControl, ETag(body), RawBody{mediaType, body})
}

// ETag is a strong entity tag of the bytes, with its quotes.
func ETag(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`
}

// ReplyWithETag is ReplyBytes for a body whose entity tag, with its quotes, is known already.
func ReplyWithETag(w http.ResponseWriter, r *http.Request, cacheControl, etag string, body RawBody) {
	h := w.Header()
	h.Set("Etag", etag)
	h.Set("Cache-Control", cacheControl)
	if asked := r.Header.Get("If-None-Match"); asked != "" && matches(asked, etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", body.MediaType)
	h.Set("Content-Length", strconv.Itoa(len(body.Bytes)))
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write(body.Bytes) // an error means that the client disconnected
}

// matches is If-None-Match's weak comparison (RFC 9110 section 13.1.2).
func matches(header, tag string) bool {
	for candidate := range strings.SplitSeq(header, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

package web_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"unicode/utf8"

	"craftista/shared/fault"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

type sheet struct {
	Name string `json:"name"`
	Side int    `json:"side"`
}

func TestDecodeIsStrict(t *testing.T) {
	t.Parallel()
	const media = "application/json"
	untyped := strings.NewReplacer(` "colour"`, "", ` "NAME"`, "")
	for _, row := range []struct {
		name, media, body string
		kind              fault.Kind
		message           string
	}{
		{"no media type", "", `{}`, fault.Unsupported, "the body must be application/json"},
		{"form", "application/x-www-form-urlencoded", `name=x`, fault.Unsupported, "the body must be application/json"},
		{"empty", media, ``, fault.BadRequest, "the body is empty"},
		{"cut", media, `{"name":"kami"`, fault.BadRequest, "the body is not complete JSON"},
		{"syntax", media, `{name}`, fault.BadRequest, "the body is not JSON, see byte 2"},
		{"second value", media, `{} {}`, fault.BadRequest, "the body holds more than one JSON value"},
		{"trailing text", media, `{} x`, fault.BadRequest, "the body holds more than one JSON value"},
		{"unknown field", media, `{"colour":1}`, fault.BadRequest, `the body has the unknown field "colour"`},
		{"name in another case", media, `{"NAME":"kami"}`, fault.BadRequest, `the body has the unknown field "NAME"`},
		{"name twice", media, `{"name":"a","side":1,"name":"b"}`, fault.BadRequest, `the body has the field "name" twice`},
		{"wrong type", media, `{"side":"x"}`, fault.BadRequest, "the field side cannot be a JSON string"},
		{"large number", media, `{"side":9223372036854775808}`, fault.BadRequest, "the field side cannot be a JSON number"},
		{"wrong shape", media, `[1]`, fault.BadRequest, "the body cannot be a JSON array"},
		{"null", media, `null`, fault.BadRequest, "the body cannot be a JSON null"},
		{"not UTF-8", media, "{\"name\":\"\xff\"}", fault.BadRequest, "the body is not UTF-8"},
		{"too large", media, `"` + strings.Repeat("x", web.MaxBody) + `"`, fault.TooLarge, "the body is over 65536 bytes"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(row.media, row.body)
			if got := fault.KindOf(err); got != row.kind {
				t.Errorf("kind %v, want %v (%v)", got, row.kind, err)
			}
			if got := web.FaultOf(err).Message; got != row.message {
				t.Errorf("message %q, want %q", got, row.message)
			}
			if got := err.Error(); got != untyped.Replace(row.message) {
				t.Errorf("the log says %q", got)
			}
		})
	}
}

func TestDecodeReadsOneValue(t *testing.T) {
	t.Parallel()
	got, err := decode("application/json; charset=utf-8", " {\"name\":\"kami\",\"side\":15}\n")
	if err != nil || got != (sheet{"kami", 15}) {
		t.Errorf("got %v, %v", got, err)
	}
}

// FuzzDecode holds that no body is answered with a failure of ours, and that a
// body which is taken is text that encoding/json takes for the same value, with
// nothing missing on the way back.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"name":"a","side":1}`, `{"side":1e99}`, `{"side":1.0}`, `[]`, `null`, ` {} `, "\xff", "\ufeff{}",
		`{"name":"\u0000"}{`, `{"name":"\ud800"}`, `{"NAME":"a"}`, `{"name":"a","name":"b"}`, `{"":1}`, `{"name":null}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := decode("application/json", body)
		if err != nil {
			if kind := fault.KindOf(err); kind != fault.BadRequest && kind != fault.TooLarge {
				t.Errorf("%q is the caller's mistake: %v", body, err)
			}
			return
		}
		var want sheet
		if err := json.Unmarshal([]byte(body), &want); err != nil || got != want || !utf8.ValidString(body) {
			t.Errorf("%q is taken for %+v, encoding/json says %+v, %v", body, got, want, err)
		}
		text, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := decode("application/json", string(text)); err != nil || again != got {
			t.Errorf("%+v comes back as %+v, %v", got, again, err)
		}
	})
}

func decode(mediaType, body string) (sheet, error) {
	r := httptest.NewRequest("POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", mediaType)
	return web.Decode[sheet](r)
}

func TestPathIDTakesPositiveIntegersOnly(t *testing.T) {
	t.Parallel()
	router := web.NewRouter(telemetry.Discard(), web.Problem)
	var got int64
	router.Get("/p/{id}", func(w http.ResponseWriter, r *http.Request) (err error) {
		if got, err = web.PathID(r); err != nil {
			return err
		}
		return web.Reply(w, 200, got)
	})
	for path, want := range map[string]int{
		"/p/1": 200, "/p/%31": 200, "/p/9223372036854775807": 200,
		"/p/0": 404, "/p/-1": 404, "/p/+1": 404, "/p/01": 404, "/p/1.0": 404, "/p/x": 404, "/p/%31%00": 404,
		"/p/9223372036854775808": 404,
	} {
		if got := send(router, "GET", path).Code; got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
}

func TestReplyJSONWithETagAnswers304(t *testing.T) {
	t.Parallel()
	get := func(ifNoneMatch string, v any) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("If-None-Match", ifNoneMatch)
		res := httptest.NewRecorder()
		if err := web.ReplyJSONWithETag(res, r, "no-cache", v); err != nil {
			t.Fatal(err)
		}
		return res
	}
	first := get("", "crane")
	tag := first.Header().Get("Etag")
	if first.Code != 200 || first.Body.String() != `"crane"` || !strings.HasPrefix(tag, `"`) {
		t.Fatalf("%d %q, ETag %q", first.Code, first.Body, tag)
	}
	for header, want := range map[string]int{tag: 304, "W/" + tag: 304, `"x", ` + tag: 304, "*": 304, `"x"`: 200} {
		res := get(header, "crane")
		if res.Code != want || res.Header().Get("Etag") != tag || res.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("If-None-Match %s: %d with %v, want %d", header, res.Code, res.Header(), want)
		}
		if want == 304 && (res.Body.Len() > 0 || res.Header().Get("Content-Type") != "") {
			t.Errorf("If-None-Match %s: 304 with a body", header)
		}
	}
	own := httptest.NewRecorder()
	body := web.RawBody{MediaType: "text/plain", Bytes: []byte("{}")}
	web.ReplyWithETag(own, httptest.NewRequest("GET", "/", nil), "no-cache", `"2-7"`, body)
	got := []string{"Etag", "Cache-Control", "Content-Type", "Content-Length"}
	for i, name := range got {
		got[i] = own.Header().Get(name)
	}
	if diff := cmp.Diff([]string{`"2-7"`, "no-cache", "text/plain", "2"}, got); diff != "" || own.Body.String() != "{}" {
		t.Errorf("with a tag of its own: %q (-want +got):\n%s", own.Body, diff)
	}
	if res := get(tag, "fox"); res.Code != 200 || res.Header().Get("Etag") == tag {
		t.Errorf("another value: %d with ETag %q", res.Code, res.Header().Get("Etag"))
	}
}

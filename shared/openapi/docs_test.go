package openapi_test

import (
	"html"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"craftista/shared/openapi"
	"craftista/shared/telemetry"
	"craftista/shared/web"

	"github.com/google/go-cmp/cmp"
)

// docs is the page of a document with that path and these components.
func docs(t *testing.T, path, components string) string {
	t.Helper()
	spec := `{"info":{"title":"<i>Paper</i>","version":"1"},"servers":[{"url":"/"},{"url":"http://h:1"}],
		"paths":{` + path + `},"components":{` + components + `}}`
	r, res := web.NewRouter(telemetry.Discard(), web.Problem), httptest.NewRecorder()
	openapi.Routes(r, []byte(spec))
	r.ServeHTTP(res, httptest.NewRequest("GET", "/docs", nil))
	return res.Body.String()
}

var (
	example = regexp.MustCompile(`(?s)<pre class="example"><code>(.*?)</code>`)
	tags    = regexp.MustCompile(`(?s)<style>.*</style>|<[^>]*>`)
)

// text is what a page says, without its markup and white space.
func text(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

// words are those of the page's command, as a shell reads it: what is set before it, and curl's arguments.
func words(t *testing.T, page string) []string {
	t.Helper()
	command := example.FindStringSubmatch(page)
	if command == nil {
		return nil
	}
	const curl = `curl() { for word; do printf '%s\n' "$word"; done; }; token='a "b" $c'; `
	out, err := exec.CommandContext(t.Context(), "sh", "-c", curl+html.UnescapeString(command[1])).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// TestDocsResolveAndOrder: what is referred to is shown, in the order of the document.
func TestDocsResolveAndOrder(t *testing.T) {
	t.Parallel()
	page := text(docs(t, `
		"/z":{"post":{"summary":"Fold.","description":"With <b>care</b>.","security":[{"key":[],"bearer":[]},{}],
			"parameters":[{"$ref":"#/components/parameters/limit"}],
			"requestBody":{"content":{"application/json":{"schema":{"$ref":"#/components/schemas/sheet"}}}},
			"responses":{"200":{"description":"folded","content":{"application/json":{"schema":{"type":"array",
				"items":{"$ref":"#/components/schemas/sheet"}}}}},
				"422":{"$ref":"#/components/responses/invalid"},
				"423":{"$ref":"#/components/responses/invalid","description":"in other hands"}}}},
		"/a":{"get":{"summary":"Look.","responses":{"200":{"description":"seen"}}}}`, `
		"parameters":{"limit":{"name":"limit","in":"query","description":"how many",
			"schema":{"type":"integer","minimum":1,"maximum":9,"default":4}}},
		"responses":{"invalid":{"description":"a broken rule"}},
		"schemas":{"sheet":{"required":["side"],"properties":{"side":{"type":"string","maxLength":3,"description":"in cm"},
			"colours":{"type":"array","minItems":1,"items":{"enum":["red","blue"]}},
			"maker":{"type":"object","properties":{"name":{"type":["string","null"],"format":"hostname"}}},
			"kind":{"const":"washi"}}}},
		"securitySchemes":{"bearer":{"type":"http","scheme":"bearer","description":"a token","x-shell":"token=$(get)"},
			"key":{"type":"apiKey","in":"header","name":"K"}}`))
	const sheet = ` side string, at most 3 characters required in cm colours list of one of red, blue, 1 or more` +
		` maker object maker.name string or null, hostname kind always washi`
	at := 0
	for _, want := range []string{
		"<i>Paper</i>", "Fold. POST /z Look. GET /a", "bearer a token token=$(get)", "Shared by operations 422 a broken rule",
		"Fold. POST /z With <b>care</b>. Credentials : key and bearer (optional)",
		"Parameters limit query, integer, 1 to 9, else 4 how many", "Body application/json" + sheet,
		"Answers 200 folded application/json Fields" + sheet + " 423 in other hands Errors: 422", "Look. GET /a",
	} {
		i := strings.Index(page[at:], want)
		if i < 0 {
			t.Fatalf("the page lacks %q after\n%s\nin\n%s", want, page[:at], page)
		}
		at += i
	}
}

// TestExamplesAreCommands of any shell, whatever is in them.
func TestExamplesAreCommands(t *testing.T) {
	t.Parallel()
	const answers, form = `"responses":{"200":{"description":"d"}}`, "application/x-www-form-urlencoded"
	for name, row := range map[string]struct {
		method, path, operation string
		want                    []string
	}{
		"nothing": {"get", "/a", answers, []string{"http://h:1/a"}},
		"parameters": {"delete", "/a/{id}", `"parameters":[{"name":"id","in":"path","required":true,"example":1},
			{"name":"q","in":"query","example":"a b,c&d"},{"name":"r","in":"query"},{"name":"K","in":"header","example":"*"}],` +
			answers, []string{"http://h:1/a/1?q=a+b,c%26d", "-X", "DELETE", "-H", "K: *"}},
		"a variable": {"get", "/a/{id}", `"x-shell":"id=$(echo 7)",
			"parameters":[{"name":"id","in":"path","x-shell":"$id"}],` + answers, []string{"http://h:1/a/7"}},
		"JSON": {"put", "/a", `"requestBody":{"content":{"application/json":{"example":{"k": "it's $token $(id) \\ !"}}}},` +
			answers, []string{
			"http://h:1/a", "-X", "PUT", "-H", "Content-Type: application/json", "-d", `{"k": "it's a "b" $c $(id) \\ !"}`,
		}},
		"a form": {"post", "/a", `"requestBody":{"content":{"` + form + `":{"example":{"b":"1","a":"&"}}}},` + answers,
			[]string{"http://h:1/a", "--data-urlencode", "b=1", "--data-urlencode", "a=&"}},
		"a form in parts": {"post", "/a", `"requestBody":{"content":{"multipart/form-data":{"example":{"b":"@x"}}}},` +
			answers, []string{"http://h:1/a", "--form-string", "b=@x"}},
		"text": {"post", "/a", `"requestBody":{"content":{"image/svg+xml":{"example":"<svg a=\"1\"/>"}}},` + answers,
			[]string{"http://h:1/a", "-H", "Content-Type: image/svg+xml", "-d", `<svg a="1"/>`}},
		"all credentials": {"get", "/a", `"security":[{"key":[],"bearer":[],"basic":[],"cookie":[]}],` + answers, []string{
			"http://h:1/a", "-H", `Authorization: Bearer a "b" $c`, "-u", "", "-H", "K: ", "-b", "cookies",
		}},
		"no credentials first": {"get", "/a", `"security":[{},{"bearer":[]}],` + answers, []string{"http://h:1/a"}},
		"a stream": {"get", "/a", `"responses":{"200":{"content":{"text/event-stream":{}}}}`,
			[]string{"http://h:1/a", "-N"}},
		"a picture": {"get", "/a.png", `"responses":{"200":{"content":{"image/png":{}}}}`,
			[]string{"http://h:1/a.png", "-O"}},
		"a parameter without example": {"get", "/a",
			`"parameters":[{"name":"q","in":"query","required":true}],` + answers, nil},
		"a body without example":     {"post", "/a", `"requestBody":{"content":{"application/json":{}}},` + answers, nil},
		"credentials from elsewhere": {"get", "/a", `"security":[{"other":[]}],` + answers, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page := docs(t, `"`+row.path+`":{"`+row.method+`":{`+row.operation+`}}`, `"securitySchemes":{
				"bearer":{"scheme":"bearer","x-shell":"x"},"basic":{"scheme":"basic","x-shell":"x"},"other":{"scheme":"bearer"},
				"key":{"in":"header","name":"K","x-shell":"x"},"cookie":{"in":"cookie","x-shell":"x"}}`)
			if diff := cmp.Diff(row.want, words(t, page)); diff != "" {
				t.Errorf("words (-want +got):\n%s\n%s", diff, example.FindString(page))
			}
		})
	}
}

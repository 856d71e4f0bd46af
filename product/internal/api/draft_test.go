package api_test

import (
	"cmp"
	"net/http/httptest"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// goodDrafts: what is at the limits, and what looks hostile and is only text,
// is kept as it is.
func (s suite) goodDrafts(t *testing.T) {
	for name, row := range map[string]struct {
		field string
		value any
	}{
		"one character":           {"name", "鶴"},
		"a hundred characters":    {"name", strings.Repeat("鶴", 100)},
		"two thousand characters": {"description", strings.Repeat("é", 2000)},
		"markup":                  {"description", `<script>alert(1)</script><!-- ]]> -->{{.}}${x}%s`},
		"quotes":                  {"name", `'; DROP TABLE product.products; --`},
		"decomposed letters":      {"paper", "15 cm, u\u0308bergross"},
		"an emoji of several":     {"name", "👩‍🎨"},
		"right to left":           {"name", "עגור נייר"},
		"inner blanks":            {"paper", "15  cm\u00a0square"},
		"one fold":                {"folds", 1},
		"a thousand folds":        {"folds", 1000},
		"no maker":                {"maker", nil},
		"an empty maker":          {"maker", ""},
		"a maker's name":          {"maker", strings.Repeat("吉", 100)},
		"no instructions":         {"instructions_url", nil},
		"empty instructions":      {"instructions_url", ""},
		"a host alone":            {"instructions_url", "https://example.org"},
		"a long address":          {"instructions_url", "https://example.org/" + strings.Repeat("x", 480)},
		"an encoded address":      {"instructions_url", "https://example.org:8443/%E9%B6%B4?q=%22#%3Cb%3E"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := body[product](t, post(t, s.h, s.g.curator(), with(row.field, row.value)), 201)
			got := map[string]any{
				"name": p.Name, "description": p.Description, "paper": p.Paper, "folds": p.Folds,
				"maker": p.Maker, "instructions_url": p.InstructionsURL,
			}
			if want := cmp.Or(row.value, any("")); got[row.field] != want {
				t.Errorf("got %q, want %q", got[row.field], want)
			}
		})
	}
}

type badDraft struct {
	draft draft
	want  []field
}

func badDrafts() map[string]badDraft {
	const (
		drawing  = "must be a drawing of the site, as /static/origami/crane.svg, or what POST /api/images gave"
		control  = "must not have control characters"
		blank    = "must not start or end with a blank"
		hundred  = "must have 1 to 100 characters"
		thousand = "must be between 1 and 1000"
		known    = "must be easy, intermediate or advanced"
		long     = "must have 1 to 2000 characters"
		unknown  = "names an image that was not uploaded"
	)
	const address = "must be an address that begins with https://, of at most 500 characters"
	absent := "/api/images/" + strings.Repeat("0", 64) + ".svg"
	noFolds := with("image_url", absent)
	delete(noFolds, "folds")
	null := with("", "")
	delete(null, "")
	null["name"] = nil
	one := func(name, message string) []field { return []field{{name, message}} }
	return map[string]badDraft{
		"no name":                  {with("name", nil), one("name", hundred)},
		"empty name":               {with("name", ""), one("name", hundred)},
		"name too long":            {with("name", strings.Repeat("é", 101)), one("name", hundred)},
		"blank before the name":    {with("name", " Heron"), one("name", blank)},
		"no-break blank after it":  {with("name", "Heron\u00a0"), one("name", blank)},
		"name of a blank":          {with("name", " "), one("name", blank)},
		"NUL":                      {with("name", "He\x00ron"), one("name", control)},
		"escape":                   {with("paper", "15\x1b[31m cm"), one("paper", control)},
		"C1 control":               {with("paper", "15\u0085cm"), one("paper", control)},
		"line feed in a name":      {with("name", "He\nron"), one("name", control)},
		"carriage return":          {with("description", "Stands.\r\nWaits."), one("description", control)},
		"line feed at the end":     {with("description", "Stands.\n"), one("description", blank)},
		"description too long":     {with("description", strings.Repeat("x", 2001)), one("description", long)},
		"null":                     {null, one("name", hundred)},
		"unknown difficulty":       {with("difficulty", "Easy"), one("difficulty", known)},
		"no folds":                 {with("folds", nil), one("folds", thousand)},
		"too many folds":           {with("folds", 1001), one("folds", thousand)},
		"negative folds":           {with("folds", -1), one("folds", thousand)},
		"no image":                 {with("image_url", nil), one("image_url", drawing)},
		"foreign image":            {with("image_url", "https://evil.example/x.svg"), one("image_url", drawing)},
		"script as image":          {with("image_url", "javascript:alert(1)"), one("image_url", drawing)},
		"data as image":            {with("image_url", "data:image/svg+xml,<svg/>"), one("image_url", drawing)},
		"path out of the drawings": {with("image_url", "/static/origami/../../etc/passwd.svg"), one("image_url", drawing)},
		"drawing with a query":     {with("image_url", "/static/origami/crane.svg?x"), one("image_url", drawing)},
		"drawing and a line feed":  {with("image_url", "/static/origami/crane.svg\n"), one("image_url", drawing)},
		"another host's path":      {with("image_url", "//evil.example/static/origami/crane.svg"), one("image_url", drawing)},
		"upload of another form":   {with("image_url", "/api/images/1.svg"), one("image_url", drawing)},
		"upload that is none":      {with("image_url", absent), one("image_url", unknown)},
		"maker too long":           {with("maker", strings.Repeat("x", 101)), one("maker", "must have 0 to 100 characters")},
		"maker of a blank":         {with("maker", " "), one("maker", blank)},
		"maker with a control":     {with("maker", "a\tb"), one("maker", control)},
		"instructions by http":     {with("instructions_url", "http://example.org/"), one("instructions_url", address)},
		"instructions as a script": {with("instructions_url", "javascript:alert(1)"), one("instructions_url", address)},
		"instructions as data":     {with("instructions_url", "data:text/html,x"), one("instructions_url", address)},
		"instructions by a path":   {with("instructions_url", "//example.org/"), one("instructions_url", address)},
		"instructions by no host":  {with("instructions_url", "https:///x"), one("instructions_url", address)},
		"instructions by a port":   {with("instructions_url", "https://:443/x"), one("instructions_url", address)},
		"instructions, a password": {with("instructions_url", "https://a:b@example.org/"), one("instructions_url", address)},
		"instructions, a blank":    {with("instructions_url", "https://example.org/a b"), one("instructions_url", address)},
		"instructions, a feed":     {with("instructions_url", "https://example.org/\nx"), one("instructions_url", address)},
		"instructions, no ASCII":   {with("instructions_url", "https://example.org/鶴"), one("instructions_url", address)},
		"instructions, too long": {
			with("instructions_url", "https://example.org/"+strings.Repeat("x", 481)), one("instructions_url", address),
		},
		"unknown upload, no folds": {
			noFolds,
			[]field{{"folds", thousand}, {"image_url", unknown}},
		},
		"all at once": {
			draft{"name": "\x00", "image_url": "x"},
			[]field{
				{"name", control}, {"description", long}, {"paper", hundred},
				{"difficulty", known}, {"folds", thousand}, {"image_url", drawing},
			},
		},
	}
}

func (s suite) badDrafts(t *testing.T) {
	for name, row := range badDrafts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := s.g.addProduct(t, "Rail", day(1))
			for _, w := range []*httptest.ResponseRecorder{
				post(t, s.h, s.g.curator(), row.draft),
				put(t, s.h, id, s.g.curator(), row.draft, "*"),
			} {
				if diff := gocmp.Diff(body[problem](t, w, 422).Errors, row.want); diff != "" {
					t.Errorf("(-got +want):\n%s", diff)
				}
			}
			if got := body[product](t, call(t, s.h, "GET", productPath(id), ""), 200).Name; got != "Rail" {
				t.Errorf("a refused edit changed the name to %q", got)
			}
		})
	}
}

// badBodies are refused before anything is looked at; shared/web reads them.
func (s suite) badBodies(t *testing.T) {
	id := s.g.addProduct(t, "Rook", day(1))
	good := with("", nil).String()
	for name, row := range map[string]struct {
		media, body string
		want        int
	}{
		"a form":           {"application/x-www-form-urlencoded", "name=x", 415},
		"too large":        {jsonMedia, with("description", strings.Repeat("x", 70_000)).String(), 413},
		"half of it":       {jsonMedia, good[:20], 400},
		"an unknown field": {jsonMedia, with("votes", 1000).String(), 400},
		"half a fold":      {jsonMedia, with("folds", 1.5).String(), 400},
		"many folds":       {jsonMedia, strings.Replace(good, "40", "1e400", 1), 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := send(t, s.h, "POST", "/api/products", s.g.curator(), row.media, row.body)
			checkProblem(t, w, row.want, "/api/products")
			w = send(t, s.h, "PUT", productPath(id), s.g.curator(), row.media, row.body, "If-Match", "*")
			checkProblem(t, w, row.want, productPath(id))
		})
	}
	for _, target := range []string{"/api/products/999999", "/api/products/01"} {
		checkProblem(t, send(t, s.h, "PUT", target, s.g.curator(), jsonMedia, good, "If-Match", `"1-0-a"`), 404, target)
		checkProblem(t, send(t, s.h, "DELETE", target, s.g.curator(), "", "", "If-Match", "*"), 404, target)
	}
}

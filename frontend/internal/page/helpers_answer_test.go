package page_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/net/html"
)

// answer is a response, parsed when it is HTML.
type answer struct {
	status int
	header http.Header
	body   string
	doc    *html.Node // nil unless HTML
}

// check compares the status of the answer, and pairs of what is got and wanted.
func (a answer) check(t *testing.T, what string, status int, pairs ...any) {
	t.Helper()
	if a.status != status {
		t.Errorf("%s: status %d, want %d: %.500s", what, a.status, status, a.body)
	}
	check(t, what, pairs...)
}

// check compares pairs of what is got, and what is wanted or a rule for it.
func check(t *testing.T, what string, pairs ...any) {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		got, want := pairs[i], pairs[i+1]
		if r, ok := want.(rule); ok {
			if text, _ := got.(string); !r.holds(text, r.text) {
				t.Errorf("%s: %.500q, want it %s %q", what, got, r.how, r.text)
			}
		} else if diff := cmp.Diff(got, want); diff != "" {
			t.Errorf("%s (-got +want):\n%s", what, diff)
		}
	}
}

// rule is what check holds a text to.
type rule struct {
	how   string
	holds func(got, text string) bool
	text  string
}

func begins(text string) rule { return rule{"to begin with", strings.HasPrefix, text} }
func ends(text string) rule   { return rule{"to end with", strings.HasSuffix, text} }
func has(text string) rule    { return rule{"to have", strings.Contains, text} }
func lacks(text string) rule {
	return rule{"to lack", func(got, text string) bool { return !strings.Contains(got, text) }, text}
}

// checkMarkup holds what is true of all HTML here: nothing that the policy would
// block, no id twice, no image without alt, no input without a label. styled says
// that the policy lets the page hold its style.
func checkMarkup(t *testing.T, what string, doc *html.Node, styled bool) {
	t.Helper()
	ids, labels := map[string]int{}, map[string]bool{}
	for n := range elements(doc) {
		for _, a := range n.Attr {
			if a.Key == "style" || strings.HasPrefix(a.Key, "on") || strings.HasPrefix(a.Key, "hx-on") ||
				strings.HasPrefix(strings.TrimSpace(a.Val), "js:") || strings.HasPrefix(strings.TrimSpace(a.Val), "javascript:") {
				t.Errorf("%s: <%s %s=%q> needs an unsafe policy", what, n.Data, a.Key, a.Val)
			}
		}
		if n.Data == "style" && !styled || n.Data == "script" && (attr(n, "src") == "" || n.FirstChild != nil) {
			t.Errorf("%s: inline <%s>", what, n.Data)
		}
		if id := attr(n, "id"); id != "" {
			if ids[id]++; ids[id] > 1 {
				t.Errorf("%s: the id %s stands twice", what, id)
			}
		}
		if n.Data == "label" {
			labels[attr(n, "for")] = true
		}
		if n.Data == "img" && !hasAttr(n, "alt") {
			t.Errorf("%s: an image without alt", what)
		}
	}
	for n := range elements(doc) {
		if n.Data == "input" && attr(n, "type") != "hidden" && !hasAttr(n, "hidden") && !labels[attr(n, "id")] {
			t.Errorf("%s: the input %s has no label", what, attr(n, "id"))
		}
		for ref := range strings.FieldsSeq(attr(n, "aria-describedby") + " " + attr(n, "aria-labelledby")) {
			if ids[ref] == 0 {
				t.Errorf("%s: nothing has the id %s", what, ref)
			}
		}
	}
}

// elements yields every element, those in templates too.
func elements(doc *html.Node) func(yield func(*html.Node) bool) {
	return func(yield func(*html.Node) bool) {
		for n := range doc.Descendants() {
			if n.Type == html.ElementNode && !yield(n) {
				return
			}
		}
	}
}

func hasAttr(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

// attr is an attribute of the element, "" if there is none.
func attr(n *html.Node, key string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// text is an element's texts with single spaces between.
func text(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data + " ")
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// id is the element with the id, nil if there is none.
func (a answer) id(id string) *html.Node {
	return a.first(func(n *html.Node) bool { return attr(n, "id") == id })
}

// class is the first element with the class, nil if there is none.
func (a answer) class(class string) *html.Node {
	return a.first(func(n *html.Node) bool { return slices.Contains(strings.Fields(attr(n, "class")), class) })
}

// count is the first votes of the piece, nil if there are none.
func (a answer) count(id string) *html.Node {
	return a.first(func(n *html.Node) bool { return attr(n, "data-count") == id })
}

func (a answer) first(fits func(*html.Node) bool) *html.Node {
	for n := range elements(a.doc) {
		if fits(n) {
			return n
		}
	}
	return nil
}

// tags are the elements with the tag.
func (a answer) tags(tag string) []*html.Node {
	return slices.DeleteFunc(slices.Collect(elements(a.doc)), func(n *html.Node) bool { return n.Data != tag })
}

// markup is an element as it was written.
func markup(t *testing.T, n *html.Node) string {
	t.Helper()
	if n == nil {
		t.Fatal("no such element")
	}
	var b strings.Builder
	if err := html.Render(&b, n); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

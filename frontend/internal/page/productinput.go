package page

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/shared/fault"
)

// productInput is what a curator posted: the draft, its folds as they were typed,
// the ETag of what it was written over or the key of a new product, and the file.
type productInput struct {
	backend.Draft

	folds, tag, key string
	file            form.File
}

// readProduct reads a posted product. Line ends become line feeds, blanks around texts
// go: the catalogue refuses both.
func readProduct(r *http.Request) (productInput, error) {
	values, file, err := form.ReadWithFile(r, backend.MaxPicture,
		"tag", "key", "name", "description", "difficulty", "folds", "paper", "picture")
	input := productInput{file: file}
	input.fill(values)
	return input, err
}

// fill takes the texts of the form. Folds that are no number become 0, which the
// catalogue refuses together with all else that is wrong.
func (p *productInput) fill(values url.Values) {
	text := func(name string) string {
		return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(values.Get(name)))
	}
	p.tag, p.key, p.folds = values.Get("tag"), values.Get("key"), text("folds")
	folds, err := strconv.Atoi(p.folds)
	if err != nil {
		folds = 0
	}
	p.Draft = backend.Draft{
		Name: text("name"), Description: text("description"), ImageURL: values.Get("picture"),
		Difficulty: values.Get("difficulty"), Folds: folds, Paper: text("paper"),
	}
}

// checkKey refuses what is no key of a new product.
func checkKey(key string) error {
	if len(key) > 100 || !plainName.MatchString(key) {
		return fault.New(fault.BadRequest, "the form does not say which piece it is")
	}
	return nil
}

// entityTag is a strong ETag of printable ASCII.
var entityTag = regexp.MustCompile(`^"[!-\[\]-~]{1,98}"$`)

// checkTag refuses what is no ETag, * above all, which would undo any edit.
func checkTag(tag string) error {
	if !entityTag.MatchString(tag) {
		return fault.New(fault.BadRequest, "the form does not say what it is meant for")
	}
	return nil
}

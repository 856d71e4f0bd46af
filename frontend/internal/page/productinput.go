package page

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/form"
	"craftista/frontend/internal/session"
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
// go: the catalogue refuses both. Folds that are no number become 0, which it refuses
// together with all else that is wrong. The file of somebody who is not signed in takes no
// memory: it goes nowhere.
func readProduct(r *http.Request) (productInput, error) {
	maxFile := 0
	if session.From(r.Context()).State == session.SignedIn {
		maxFile = backend.MaxPhoto
	}
	values, file, err := form.ReadWithFile(r, maxFile,
		"tag", "key", "name", "description", "difficulty", "folds", "paper", "maker", "instructions_url",
		"picture")
	if err != nil {
		return productInput{}, err
	}
	text := func(name string) string {
		return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(values.Get(name)))
	}
	folds, err := strconv.Atoi(text("folds"))
	if err != nil {
		folds = 0
	}
	return productInput{
		Draft: backend.Draft{
			Name: text("name"), Description: text("description"), ImageURL: values.Get("picture"),
			Difficulty: values.Get("difficulty"), Folds: folds, Paper: text("paper"),
			Maker: text("maker"), InstructionsURL: text("instructions_url"),
		},
		folds: text("folds"), tag: values.Get("tag"), key: values.Get("key"), file: file,
	}, nil
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

package view

import (
	"strings"

	"github.com/a-h/templ"
)

// ProductList is the content of /admin/pieces, the catalogue as curators see it. Query
// is what was searched for; NextURL is "" on the last page; Done says what was
// just done to DoneName, DoneURL where that shows, each "" if there is nothing to
// say.
type ProductList struct {
	Query       string
	Rows        []ProductRow
	NextURL     string
	Done        string
	DoneName    string
	DoneURL     string
	Unavailable bool
	Problem     string // why nothing can be shown; "" otherwise
}

// ProductRow is one product of it.
type ProductRow struct {
	ID, Name, URL  string
	Votes, Updated string
	Art            Art
}

// ProductForm is the form of a product. Tag is what the product was when it was read,
// "" for a new one, which has a Key instead. Problem is said above the fields,
// with a link to SignInURL unless that is "". With Conflict somebody else saved
// the product meanwhile, what is in Tag now, and TheirsURL leads to it.
type ProductForm struct {
	Heading, Action, Submit       string
	Tag, Key, Problem             string
	ProblemFocus, Conflict        bool
	Name, Description, Folds      ProductField
	Paper, Difficulty, Picture    ProductField
	Maker, Instructions           ProductField
	Levels                        []Option
	Drawings                      []Drawing
	BackURL, TheirsURL, DeleteURL string // "" where there is no such way
	SignInURL                     string
	TheirArt                      Art    // where Picture.Theirs is set
	Script, MaxPicture            string // what checks before the upload, and the bytes that it allows
}

// ProductField is a field of a ProductForm. Theirs is what somebody else saved in it
// meanwhile, "" where that is the same.
type ProductField struct {
	Field
	Theirs   string
	Optional bool
}

// Option is one that can be chosen.
type Option struct {
	Value, Label string
	Current      bool
}

// Drawing is a picture that can be chosen. ID is unique on the page.
type Drawing struct {
	ID, Value, Label string
	Art              Art
	Current          bool
}

// ProductRemoval asks whether a product is to leave the gallery.
type ProductRemoval struct {
	Name, Votes, Action, Tag string
	Problem, BackURL         string
	Art                      Art
}

// describedBy are the ids of the texts that belong to the field.
func (f ProductField) describedBy() string {
	ids := f.Field.describedBy()
	if f.Theirs != "" {
		ids += " " + f.Name + "-theirs"
	}
	return strings.TrimSpace(ids)
}

// attrs are what every sort of input has.
func (f ProductField) attrs() templ.Attributes {
	attrs := templ.Attributes{"id": f.Name, "name": f.Name, "required": f.Type != "file" && !f.Optional}
	if f.Type != "file" {
		attrs["autocomplete"] = "off"
	}
	if f.Invalid {
		attrs["aria-invalid"] = "true"
	}
	if ids := f.describedBy(); ids != "" {
		attrs["aria-describedby"] = ids
	}
	if f.Focus {
		attrs["autofocus"] = true
	}
	return attrs
}

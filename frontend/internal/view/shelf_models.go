package view

import (
	"strings"

	"github.com/a-h/templ"
)

// Shelf is the content of /admin/pieces, the catalogue as curators see it. Query
// is what was searched for; NextURL is "" on the last page; Done says what was
// just done to DoneName, DoneURL where that shows, each "" if there is nothing to
// say.
type Shelf struct {
	Query    string
	Rows     []ShelfRow
	NextURL  string
	Done     string
	DoneName string
	DoneURL  string
	Away     bool
	Problem  string // why nothing can be shown; "" otherwise
}

// ShelfRow is one piece of it.
type ShelfRow struct {
	ID, Name, URL  string
	Votes, Updated string
	Art            Art
}

// PieceForm is the form of a piece. Tag is what the piece was when it was read,
// "" for a new one, which has a Key instead. Problem is said above the fields,
// with a link to SignInURL unless that is "". With Conflict somebody else saved
// the piece meanwhile, what is in Tag now, and TheirsURL leads to it.
type PieceForm struct {
	Heading, Action, Submit       string
	Tag, Key, Problem             string
	ProblemFocus, Conflict        bool
	Name, Description, Folds      PieceField
	Paper, Difficulty, Picture    PieceField
	Levels                        []Option
	Drawings                      []Drawing
	BackURL, TheirsURL, DeleteURL string // "" where there is no such way
	SignInURL                     string
	TheirArt                      Art    // where Picture.Theirs is set
	MaxPicture                    string // bytes, for the script that checks before the upload
}

// PieceField is a field of a PieceForm. Theirs is what somebody else saved in it
// meanwhile, "" where that is the same.
type PieceField struct {
	Field
	Theirs string
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

// PieceRemoval asks whether a piece is to leave the gallery.
type PieceRemoval struct {
	Name, Votes, Action, Tag string
	Problem, BackURL         string
	Art                      Art
}

// describedBy are the ids of the texts that belong to the field.
func (f PieceField) describedBy() string {
	ids := f.Field.describedBy()
	if f.Theirs != "" {
		ids += " " + f.Name + "-theirs"
	}
	return strings.TrimSpace(ids)
}

// attrs are what every sort of input has.
func (f PieceField) attrs() templ.Attributes {
	attrs := templ.Attributes{"id": f.Name, "name": f.Name, "autocomplete": "off", "required": f.Type != "file"}
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

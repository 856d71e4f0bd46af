package core

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"craftista/shared/fault"
)

// Draft is what curators say about a product. All of it is plain text: what looks
// like markup is shown unchanged.
type Draft struct {
	Name        string
	Description string // may have line feeds
	ImageURL    string // a drawing of the site or an uploaded Image, see ImagePath
	Difficulty  string // easy, intermediate or advanced
	Folds       int
	Paper       string
}

// The limits of a Draft, in characters and folds.
const (
	maxName        = 100
	maxDescription = 2000
	maxPaper       = 100
	maxFolds       = 1000 // in step with the schema
)

// check collects the rules that the draft breaks, whether its image was uploaded
// apart. Blanks around a text are refused, not cut off: what is kept is what was
// sent, so that a reader finds it as the editor left it.
func (d Draft) check() fault.Checks {
	var broken fault.Checks
	text := func(field, value string, most int) {
		n := utf8.RuneCountInString(value)
		broken.Require(n >= 1 && n <= most, field, fmt.Sprintf("must have 1 to %d characters", most))
		broken.Require(strings.TrimSpace(value) == value, field, "must not start or end with a blank")
		broken.Require(!strings.ContainsFunc(value, unicode.IsControl), field, "must not have control characters")
	}
	text("name", d.Name, maxName)
	text("description", strings.ReplaceAll(d.Description, "\n", " "), maxDescription)
	text("paper", d.Paper, maxPaper)
	broken.Require(slices.Contains([]string{"easy", "intermediate", "advanced"}, d.Difficulty),
		"difficulty", "must be easy, intermediate or advanced")
	broken.Require(d.Folds >= 1 && d.Folds <= maxFolds, "folds", fmt.Sprintf("must be between 1 and %d", maxFolds))
	broken.Require(siteDrawing.MatchString(d.ImageURL) || d.upload() != "", "image_url",
		"must be a drawing of the site, as /static/origami/crane.svg, or what POST /api/images gave")
	return broken
}

// siteDrawing is the form of a drawing of the site itself. Only the site has the
// list of them; it shows a blank sheet for one that it has not.
var siteDrawing = regexp.MustCompile(`^/static/origami/[a-z0-9-]{1,100}\.svg$`)

// upload is the name of the uploaded image that the draft shows, "" if it shows
// none.
func (d Draft) upload() string {
	name, ok := strings.CutPrefix(d.ImageURL, ImagePath)
	if !ok || !imageName.MatchString(name) {
		return ""
	}
	return name
}

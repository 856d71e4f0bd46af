package core

import (
	"fmt"
	"net/url"
	"regexp"
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

	// These may be "". They are left out of the JSON then, whose hash tells drafts apart: a
	// key that was used before there were such fields is still known.
	Maker           string `json:",omitempty"`
	InstructionsURL string `json:",omitempty"` // begins with https://
}

// The limits of a Draft, in characters and folds.
const (
	maxName        = 100
	maxDescription = 2000
	maxPaper       = 100
	maxMaker       = 100
	maxURL         = 500
	maxFolds       = 1000 // in step with the schema
)

// check collects the rules that the draft breaks, whether its image was uploaded
// apart. Blanks around a text are refused, not cut off: what is kept is what was
// sent, so that a reader finds it as the editor left it.
func (d Draft) check() fault.Checks {
	var broken fault.Checks
	text := func(field, value string, least, most int) {
		n := utf8.RuneCountInString(value)
		broken.Require(n >= least && n <= most, field, fmt.Sprintf("must have %d to %d characters", least, most))
		broken.Require(strings.TrimSpace(value) == value, field, "must not start or end with a blank")
		broken.Require(!strings.ContainsFunc(value, unicode.IsControl), field, "must not have control characters")
	}
	text("name", d.Name, 1, maxName)
	text("description", strings.ReplaceAll(d.Description, "\n", " "), 1, maxDescription)
	text("paper", d.Paper, 1, maxPaper)
	text("maker", d.Maker, 0, maxMaker)
	broken.Require(d.InstructionsURL == "" || isWebAddress(d.InstructionsURL), "instructions_url",
		fmt.Sprintf("must be an address that begins with https://, of at most %d characters", maxURL))
	RequireDifficulty(&broken, d.Difficulty)
	broken.Require(d.Folds >= 1 && d.Folds <= maxFolds, "folds", fmt.Sprintf("must be between 1 and %d", maxFolds))
	broken.Require(siteDrawing.MatchString(d.ImageURL) || d.upload() != "", "image_url",
		"must be a drawing of the site, as /static/origami/crane.svg, or what POST /api/images gave")
	return broken
}

// isWebAddress reports whether text is a URL that a page may link: https, a host, no
// password, nothing but printable ASCII, and not too long.
func isWebAddress(text string) bool {
	u, err := url.Parse(text)
	return err == nil && len(text) <= maxURL && strings.HasPrefix(text, "https://") && u.Hostname() != "" &&
		u.User == nil && !strings.ContainsFunc(text, func(c rune) bool { return c <= ' ' || c > '~' })
}

// siteDrawing is the form of a drawing of the site itself. Only the site has the
// list of them; it shows a blank sheet for one that it has not.
var siteDrawing = regexp.MustCompile(`^/static/origami/[a-z0-9-]{1,100}\.svg$`)

// upload is the name of the uploaded image that the draft shows, "" if it shows
// none.
func (d Draft) upload() string {
	name, ok := strings.CutPrefix(d.ImageURL, ImagePath)
	form := imageName.FindStringSubmatch(name)
	if !ok || form == nil || form[1] != "" {
		return ""
	}
	return name
}

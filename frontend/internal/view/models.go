// Package view is the site's HTML: templ components and the view models they
// show. A component takes one model and neither fetches, computes nor asks the
// clock; all texts arrive ready to read. Element ids are part of the contract
// with htmx: a fragment carries the id of the element that it replaces.
package view

// Frame is what every page has around its content.
type Frame struct {
	Title       string
	Here        string // the path of this page, marked in the navigation
	SignInURL   string // leads to sign-in and back here
	RegisterURL string
	Assets      Assets
	Person      Person
	Trace       Trace
	OpenGraph   OpenGraph
	Timeout     string // of what htmx sends, in ms
}

// Assets are the URLs of the files that every page loads. Reload is "" except
// in development.
type Assets struct{ Style, Htmx, Live, Site, Password, Icon, Reload, Touch, Manifest string }

// Person is who reads the page. Unavailable says that nobody can tell, because
// sign-in does not answer. The zero value is signed out.
type Person struct {
	Name        string
	Unavailable bool
}

// Trace names the trace of the request that made the page; URL is "" where no
// trace viewer is known.
type Trace struct{ ID, URL string }

// Vote is a product's vote button. ID is the product's id in decimal.
type Vote struct {
	ID, Name, Count string // Count: "1,234 votes"
	Voted           bool
}

// Art is a drawing, or a photo with copies (Srcset) and a size in pixels. Alt is "" where the name stands beside it.
// Tint is the number of its paper's colour, with "light" if it stays so on dark pages. Name is for view transitions.
type Art struct{ URL, Alt, Tint, Name, Srcset, Width, Height string }

// Card is a product in the grid.
type Card struct {
	ID, Name, URL string
	Art           Art
	Level         Level
	Vote          Vote
}

// Level is a difficulty; Steps is 1 to 3, 0 when unknown.
type Level struct {
	Label string
	Steps int
}

// Pick is a product of the recommendation area.
type Pick struct {
	ID, Name, URL, Reason, Count string
	Art                          Art
}

// Picks is the recommendation area. Unavailable says that its service does not answer.
type Picks struct {
	Heading     string
	Picks       []Pick
	Unavailable bool
}

// Today is the hero. Unavailable says that there is no product of the day to show now, and Description why,
// Stale that its votes may have changed.
type Today struct {
	ID, Name, URL, Description, Date, Count string
	Art                                     Art
	Unavailable, Stale                      bool
}

// Choice is one order of the grid, or one difficulty.
type Choice struct {
	Label, URL string
	Current    bool
}

// Batch is one page of the grid, and the fragment that "more" appends. MoreURL is
// "" after the last product. Shown is how many products the page has then, in decimal,
// "" where nobody counts; Endless says that more may come by themselves.
type Batch struct {
	Cards          []Card
	MoreURL, Shown string
	Endless        bool
}

// Search is the search of the gallery. Limit is in characters; Sort and Difficulty travel
// along unless they are "".
type Search struct{ Query, Sort, Difficulty, Limit, Script string }

// Front is what stands above the grid. A later page, reached without scripts, is
// Continued; it has neither hero nor picks, and nor has a search or a difficulty: what people have Chosen.
type Front struct {
	Today     Today
	Picks     Picks
	Continued bool
	Chosen    bool
}

// Grid is the products, in an order, of those that a search finds and of a difficulty.
// AllURL leads to all of them.
type Grid struct {
	Heading          string
	Sorts, Levels    []Choice
	Batch            Batch
	Unavailable      bool // the catalogue does not answer
	Chosen           bool // these are not all products
	Wordless         bool // the search has nothing to search for
	RetryURL, AllURL string
}

// Gallery is the front page.
type Gallery struct {
	Search Search
	Front  Front
	Grid   Grid
}

// Product is one product at length. Address is its URL to pass on, as people read it.
type Product struct {
	ID, Name    string
	URL         string
	Address     string
	Description string
	Folds       string
	Paper       string
	Maker       string // "" is not known

	Instructions Instructions

	Level     Level
	Art       Art
	Vote      Vote
	AlsoLiked Picks
	EditURL   string // "" for people who may not
	Script    string // shows the picture larger
}

// Instructions is where a product's folding is taught; URL is "" if that is not known.
type Instructions struct{ URL, Host string }

// Field is one input. Error is "" when there is nothing to mend; ErrorID then
// names another field's error that it shares, or is "".
type Field struct {
	Name, Label, Type, Value, Hint string
	Autocomplete                   string
	MinLength, MaxLength           string // in UTF-16 code units, as browsers count; "" is no bound
	Error, ErrorID                 string
	Invalid, Focus                 bool
}

// SignForm is the form of /login and /register, and of a new password or address. Problem is
// said above the fields, or Done; without Submit there is no button; Next travels along unless it is "". Username tells
// password managers whose password it is, unless it is "".
type SignForm struct {
	ID, Action, Submit string
	Problem, Done      string
	Next, Username     string
	Token              string // of a mail; travels along unless it is ""
	Fields             []*Field
}

// Sign is the page around a SignForm. Why says what led here.
type Sign struct {
	Heading, Why      string
	Form              SignForm
	Other, OtherLabel string // the link to the other of the two pages
	OtherURL          string
	ForgotURL         string // for who forgot the password; "" elsewhere
	Art               Art
}

// Consent asks a person to let an application in. Host is where the browser goes
// then; each wish goes on after "may"; Query is the application's request, which
// travels along.
type Consent struct {
	Application, Person, Host string
	Wishes                    []string
	Action, Query             string
	Art                       Art
}

// Failure is an error page.
type Failure struct {
	Code, Heading, Message string
	Art                    Art
	RetryURL               string // "" where trying again cannot help
}

// sizes is how wide a photo is drawn on a sheet of that kind, as site.css has it. Where it
// covers a square, some of it is cut off: a third of most.
func sizes(kind string) string {
	switch kind {
	case "piece":
		return "(width < 48rem) 92vw, min(42vw, 38rem)"
	case "hero":
		return "(width < 48rem) 30rem, min(56vw, 50rem)"
	case "card":
		return "(width < 48rem) 60vw, 25rem"
	default:
		return "10rem"
	}
}

package view

// Daily is the page of a day's product, or of a month alone where Day is nil.
type Daily struct {
	Day      *Day
	Calendar Calendar
}

// Day is the product of a day. Missing is the heading in its place where there is
// none to show, and Why says why; RetryURL is "" where trying again cannot help.
// Deleted is said of a product that is no longer in the gallery, in place of its votes;
// ID and URL are "" then. Stale says that its votes may have changed.
type Day struct {
	Title, Date           string // Date: "Sunday 22 November 2026"
	Today, Stale          bool
	ID, Name, Description string
	URL                   string
	Art                   Art
	Vote                  Vote
	Deleted               string
	Missing, Why          string
	RetryURL              string
}

// Calendar is a month of products, its weeks from Monday to Sunday. Unavailable says that
// the archive does not answer; Note explains what is empty.
type Calendar struct {
	Month, Heading string // Month: "November 2026"
	Before, After  MonthLink
	Weeks          [][7]CalendarDay
	Note           string
	Unavailable    bool
}

// MonthLink leads to another month; URL is "" where there is none.
type MonthLink struct{ Label, URL string }

// CalendarDay is a cell: blank without Number, without a product if URL is "".
// Shown marks the day that the page is about.
type CalendarDay struct {
	Number, Name, URL string
	Art               Art
	Today, Shown      bool
}

// current is the cell's aria-current.
func (d CalendarDay) current() string {
	if d.Shown {
		return "page"
	}
	return "date"
}

// OpenGraph is what networks show beside a link to a page. URL and Image are absolute,
// or "" where the site does not know its own address; Width and Height are "" where
// unknown. The zero value is a page that nobody shares.
type OpenGraph struct {
	Type, Title, Description        string // Type: article or website
	URL                             string
	Image, ImageType, Width, Height string
	ImageAlt                        string
}

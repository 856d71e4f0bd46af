package view

// Admin is the content of /admin.
type Admin struct{ Doors []Door }

// Door is a link to something that curators or admins do.
type Door struct{ Title, Text, URL string }

// People is the content of /admin/people. Query is what was searched for; NextURL
// is "" on the last page.
type People struct {
	Query       string
	Rows        []PersonRow
	NextURL     string
	Unavailable bool
	Problem     string // why nobody can be shown; "" otherwise
}

// PersonRow is one person, and what an admin may do about them. Query and Cursor
// say which page they are on and travel along. Note says what could not be done, Done what was.
type PersonRow struct {
	ID, Name, Email, Since string
	Role                   string
	Roles                  []Option
	Disabled, Self         bool
	Query, Cursor          string
	Note, Done             string
}

package view

// Account is the content of /account.
type Account struct {
	Admin    bool // there is something for them on /admin
	Profile  Profile
	Email    SignForm
	Password SignForm
	Sessions Sessions
	Votes    MyVotes
}

// Profile is what is known of the person. Unavailable says that auth does not answer, Done what was just done.
type Profile struct {
	Unavailable                  bool
	Username, Email, Role, Since string
	Confirmed                    bool // the e-mail address
	Done                         string
}

// Session is one sign-in. ID is its id in decimal; Name is what the person recognises
// it by, and What goes before it where it is an application.
type Session struct {
	ID, Name, What  string
	Since, LastUsed string
	Current         bool // the one in use
}

// Sessions is the section of all of them. Done says what was just done, Problem
// what could not be; both are "" otherwise.
type Sessions struct {
	Unavailable   bool
	Done, Problem string
	All           []Session
	Others        bool // there are more than the one in use
}

// MyVotes are products that the person voted for. Continued is a page of its own.
type MyVotes struct {
	Unavailable bool
	Batch       Batch
	Continued   bool
	RetryURL    string
}

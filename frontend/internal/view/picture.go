package view

// State is how a part of Craftista is.
type State string

// The states. Unknown is what nobody can tell.
const (
	Up       State = "up"
	Degraded State = "degraded"
	Down     State = "down"
	Unknown  State = "unknown"
)

// Picture is the architecture as it is now. Summary is one or two sentences; At
// is when it was looked at.
type Picture struct {
	Boxes       []Box
	Summary, At string
}

// Box is a part: ID is one of browser, frontend, auth, recommendation, product,
// postgres, redis and traces, and names its place. Says is a sentence: what it
// does, or what is wrong.
type Box struct {
	ID, Name, Says string
	State          State
	Facts          []Fact
	Lines          []Line // to what it talks to
}

// Fact is a thing known of a box.
type Fact struct{ Name, Value string }

// Line goes from one box to another, which Name names; Latency may be "".
type Line struct {
	From, To, Name string
	State          State
	Latency        string
}

// lines are those of all boxes.
func (p Picture) lines() []Line {
	var all []Line
	for _, box := range p.Boxes {
		all = append(all, box.Lines...)
	}
	return all
}

// centre is where the box stands in the drawing, in percent of its width and
// height: the middle of its cells in the grid of four columns and three rows that
// the style sheet makes.
func centre(id string) (x, y string) {
	switch id {
	case "browser":
		return "12.5", "50"
	case "frontend":
		return "37.5", "50"
	case "auth":
		return "62.5", "16.67"
	case "recommendation":
		return "62.5", "50"
	case "product":
		return "62.5", "83.33"
	case "postgres":
		return "87.5", "50"
	case "redis":
		return "87.5", "83.33"
	default: // traces
		return "37.5", "83.33"
	}
}

// path is the line as an SVG path between the two centres.
func (l Line) path() string {
	x1, y1 := centre(l.From)
	x2, y2 := centre(l.To)
	return "M" + x1 + " " + y1 + "L" + x2 + " " + y2
}

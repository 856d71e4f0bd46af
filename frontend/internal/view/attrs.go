package view

import "strings"

// description is the page's own, or the site's.
func (f Frame) description() string {
	if f.OpenGraph.Description != "" {
		return f.OpenGraph.Description
	}
	return "An origami gallery: browse folded pieces, vote for the ones you love, meet a new one every day."
}

func weekdays() []string {
	return []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
}

// action is where the form posts.
func (v Vote) action() string {
	if v.Voted {
		return "/origamis/" + v.ID + "/unvote"
	}
	return "/origamis/" + v.ID + "/vote"
}

// trigger is when the next products come: well before they are looked at, or on
// demand.
func (b Batch) trigger() string {
	if b.Endless {
		return "click, intersect rootMargin:600px"
	}
	return "click"
}

// lit is how many of the three steps are lit.
func (l Level) lit() string {
	return [...]string{"0", "1", "2", "3"}[max(0, min(l.Steps, 3))]
}

// flip is what the form about disabling asks for.
func (p PersonRow) flip() string {
	if p.Disabled {
		return "false"
	}
	return "true"
}

// describedBy are the ids of the texts that belong to the input.
func (f Field) describedBy() string {
	var ids []string
	if f.Error != "" {
		ids = append(ids, f.Name+"-error")
	}
	if f.ErrorID != "" {
		ids = append(ids, f.ErrorID)
	}
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	return strings.Join(ids, " ")
}

// showLabel is the label of the button that shows what is typed: "Show new password".
func (f Field) showLabel() string { return "Show " + strings.ToLower(f.Label) }

package openapi

import (
	"encoding/json"
	"slices"
	"strings"
)

// page is what docs.templ shows.
type page struct {
	Title, Version, About string
	Credentials           []credential
	Errors                []answer // that operations share, by status
	Operations            []section
}

type credential struct{ Name, About, Shell string }

// field is a parameter, or a member of a body.
type field struct {
	Name, In, Kind, About string
	Required              bool
}

type answer struct {
	ID, Status, About string
	Media             string // of the body; "" if there is none
	Fields            []field
}

// section is an operation.
type section struct {
	ID, Method, Path, Summary, About string
	Credentials                      string // as "bearer or session", "" for none
	Optional                         bool   // the credentials
	Parameters, Body                 []field
	Media                            string // of Body
	Answers                          []answer
	Errors                           []answer // are among the page's
	Shell                            string   // "" if it cannot be called by one command
}

func (d document) page() page {
	p := page{Title: d.Info.Title, Version: d.Info.Version, About: d.Info.Description}
	for _, s := range d.Components.SecuritySchemes {
		p.Credentials = append(p.Credentials, credential{s.Name, s.Value.Description, s.Value.Shell})
	}
	for _, item := range d.Paths {
		for _, o := range item.Value {
			s := d.section(o.Name, item.Name, o.Value)
			p.Operations = append(p.Operations, s)
			for _, e := range s.Errors {
				p.share(e)
			}
		}
	}
	slices.SortStableFunc(p.Errors, func(a, b answer) int { return strings.Compare(a.Status, b.Status) })
	return p
}

// share adds an error, or its status to those of the same.
func (p *page) share(e answer) {
	i := slices.IndexFunc(p.Errors, func(known answer) bool { return known.ID == e.ID })
	switch {
	case i < 0:
		p.Errors = append(p.Errors, e)
	case !strings.Contains(p.Errors[i].Status, e.Status):
		p.Errors[i].Status += " " + e.Status
	}
}

func (d document) section(method, path string, o operation) section {
	s := section{
		ID: anchor(method + path), Method: strings.ToUpper(method), Path: path,
		Summary: o.Summary, About: o.Description, Shell: d.curl(method, path, o),
	}
	s.Credentials, s.Optional = credentials(o.Security)
	for _, p := range o.Parameters {
		p = d.parameter(p)
		s.Parameters = append(s.Parameters, field{p.Name, p.In, d.kind(p.Schema), p.Description, p.Required})
	}
	if o.RequestBody != nil {
		s.Media, s.Body = d.body(o.RequestBody.Content)
	}
	for _, r := range o.Responses {
		referred := d.response(r.Value)
		a := answer{ID: anchor(r.Value.Ref), Status: r.Name, About: referred.Description}
		if r.Name >= "400" && r.Value.Ref != "" && r.Value.Description == "" {
			s.Errors = append(s.Errors, a)
			continue
		}
		a.Media, a.Fields = d.body(referred.Content)
		s.Answers = append(s.Answers, a)
	}
	return s
}

// body is the media types of a body, and the fields of the first that has any.
func (d document) body(content ordered[media]) (types string, fields []field) {
	names := make([]string, len(content))
	for i, m := range content {
		names[i] = m.Name
		if fields == nil {
			fields = d.fields(m.Value.Schema, "")
		}
	}
	return strings.Join(names, ", "), fields
}

// credentials names the alternatives of an operation's security. An empty one makes them optional.
func credentials(security []ordered[json.RawMessage]) (names string, optional bool) {
	var alternatives []string
	for _, alternative := range security {
		var schemes []string
		for _, s := range alternative {
			schemes = append(schemes, s.Name)
		}
		if len(schemes) == 0 {
			optional = true
			continue
		}
		alternatives = append(alternatives, strings.Join(schemes, " and "))
	}
	return strings.Join(alternatives, ", or "), optional
}

// anchor is the text as the fragment of a URL.
func anchor(text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return !strings.ContainsRune(letters, r) })
	return strings.Join(words, "-")
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

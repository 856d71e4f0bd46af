package openapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// document is what the page shows of an OpenAPI 3.1 document. Beyond the standard it reads x-shell, for the commands of
// a shell that it shows: of an operation and of a security scheme those that set the variables which its examples name,
// of a parameter the word that stands for its value.
type document struct {
	Info       struct{ Title, Version, Description string }
	Servers    []struct{ URL string }      // the last is where the examples go to
	Paths      ordered[ordered[operation]] // by path and method
	Components struct {
		SecuritySchemes ordered[scheme]
		Parameters      map[string]parameter
		Responses       map[string]response
		Schemas         map[string]schema
	}
}

type operation struct {
	Summary, Description string
	Security             []ordered[json.RawMessage] // alternatives, each of schemes by name
	Parameters           []parameter
	RequestBody          *requestBody
	Responses            ordered[response] // by status
	Shell                string            `json:"x-shell"`
}

type requestBody struct {
	Content ordered[media] // by media type
}

type scheme struct {
	Type, Scheme, In, Name, Description string
	Shell                               string `json:"x-shell"`
}

type parameter struct {
	Ref                   string `json:"$ref"`
	Name, In, Description string
	Required              bool
	Schema                schema
	Example               any
	Shell                 string `json:"x-shell"`
}

type response struct {
	Ref         string `json:"$ref"`
	Description string
	Content     ordered[media] // by media type
}

type media struct {
	Schema  schema
	Example json.RawMessage
}

// schema is a JSON Schema, as far as the documents use it.
type schema struct {
	Ref                          string `json:"$ref"`
	Type                         any    // a name, or a list of them
	Description, Format, Pattern string
	Enum                         []any
	Const, Default               any
	Minimum, Maximum             json.Number
	MinLength, MaxLength         json.Number
	MinItems, MaxItems           json.Number
	Items                        *schema
	Properties                   ordered[schema]
	Required                     []string
	OneOf                        []schema
}

// ordered is a JSON object in the order of its members.
type ordered[T any] []member[T]

type member[T any] struct {
	Name  string
	Value T
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *ordered[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil { // the brace
		return err
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		m := member[T]{Name: fmt.Sprint(name)}
		if err := d.Decode(&m.Value); err != nil {
			return fmt.Errorf("%s: %w", m.Name, err)
		}
		*o = append(*o, m)
	}
	return nil
}

// has reports whether there is a member of that name.
func (o ordered[T]) has(name string) bool {
	return slices.ContainsFunc(o, func(m member[T]) bool { return m.Name == name })
}

// parameter is p, or what it refers to.
func (d document) parameter(p parameter) parameter {
	if p.Ref != "" {
		return d.Components.Parameters[path.Base(p.Ref)]
	}
	return p
}

// response is r, or what it refers to with a description of its own.
func (d document) response(r response) response {
	if r.Ref == "" {
		return r
	}
	referred := d.Components.Responses[path.Base(r.Ref)]
	referred.Description = cmp.Or(r.Description, referred.Description)
	return referred
}

// schema is s, or what it refers to with a description of its own.
func (d document) schema(s schema) schema {
	if s.Ref == "" {
		return s
	}
	referred := d.Components.Schemas[path.Base(s.Ref)]
	referred.Description = cmp.Or(s.Description, referred.Description)
	return referred
}

// kind says which values the schema has, such as "integer, 1 to 100, else 24".
func (d document) kind(s schema) string {
	s = d.schema(s)
	var words []string
	add := func(word string) {
		if word != "" {
			words = append(words, word)
		}
	}
	switch {
	case s.Const != nil:
		return fmt.Sprint("always ", s.Const)
	case len(s.Enum) > 0:
		add("one of " + join(s.Enum, ", "))
	case s.Items != nil:
		add("list of " + d.kind(*s.Items))
		add(bounds(s.MinItems, s.MaxItems, ""))
	default:
		types, _ := s.Type.([]any)
		if name, ok := s.Type.(string); ok {
			types = []any{name}
		}
		add(join(types, " or "))
		if s.Format != "int64" {
			add(s.Format)
		}
		add(bounds(s.Minimum, s.Maximum, ""))
		add(bounds(s.MinLength, s.MaxLength, " characters"))
		if len(s.Pattern) < mostPattern {
			add(s.Pattern)
		}
	}
	if s.Default != nil {
		add(fmt.Sprint("else ", s.Default))
	}
	return strings.Join(words, ", ")
}

// mostPattern is the length from which on a pattern says nothing to people. Its description does.
const mostPattern = 40

func join(values []any, between string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = fmt.Sprint(v)
	}
	return strings.Join(texts, between)
}

func bounds(least, most json.Number, unit string) string {
	switch {
	case least != "" && most != "":
		return fmt.Sprint(least, " to ", most, unit)
	case most != "":
		return fmt.Sprint("at most ", most, unit)
	case least != "":
		return fmt.Sprint(least, " or more", unit)
	}
	return ""
}

// fields are the members of what the schema describes, of objects in it too, with dots between the names.
func (d document) fields(s schema, prefix string) []field {
	s = d.schema(s)
	if s.Items != nil {
		return d.fields(*s.Items, prefix)
	}
	var all []field
	for _, p := range s.Properties {
		value := d.schema(p.Value)
		name := prefix + p.Name
		all = append(all, field{
			Name: name, Kind: d.kind(value), Required: slices.Contains(s.Required, p.Name), About: value.Description,
		})
		all = append(all, d.fields(value, name+".")...)
	}
	for _, alternative := range s.OneOf {
		all = append(all, d.fields(alternative, prefix)...)
	}
	return all
}

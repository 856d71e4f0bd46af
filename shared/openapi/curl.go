package openapi

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// curl is a command that sends the operation's examples, after the commands that set their variables; "" where
// something that is required has no example, or a security scheme no commands.
func (d document) curl(method, path string, o operation) string {
	address, args, complete := d.address(path, o.Parameters)
	credentials, known := d.credentials(o)
	usual := "get"
	if o.RequestBody != nil {
		usual = "post"
		body := o.RequestBody.args()
		args, complete = append(args, body...), complete && len(body) > 0
	}
	if !complete || !known {
		return ""
	}
	words := []string{"curl " + quote(address)}
	if method != usual {
		words = append(words, "-X "+strings.ToUpper(method))
	}
	words = slices.Concat(words, args, credentials)
	switch {
	case o.answers("text/event-stream"):
		words = append(words, "-N")
	case o.answers("image/png"):
		words = append(words, "-O")
	}
	command := strings.Join(words, " ")
	if len(command) > mostLine {
		command = strings.Join(words, " \\\n  ")
	}
	return strings.TrimPrefix(o.Shell+"\n"+command, "\n")
}

// mostLine is how long a command may be that stands on one line.
const mostLine = 88

// address is the URL with the parameters' examples, and curl's options for those of headers. It is not complete if one
// that is required has no example.
func (d document) address(path string, parameters []parameter) (address string, headers []string, complete bool) {
	var query []string
	complete = true
	for _, p := range parameters {
		p = d.parameter(p)
		value := p.Shell
		if p.Example != nil {
			value = fmt.Sprint(p.Example)
		}
		switch {
		case value == "":
			complete = complete && !p.Required
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", value)
		case p.In == "query":
			query = append(query, p.Name+"="+strings.ReplaceAll(url.QueryEscape(value), "%2C", ","))
		case p.In == "header":
			headers = append(headers, "-H "+quote(p.Name+": "+value))
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return d.base() + path, headers, complete
}

// base is the URL that the examples go to, without the slash at its end.
func (d document) base() string {
	if len(d.Servers) == 0 {
		return ""
	}
	return strings.TrimSuffix(d.Servers[len(d.Servers)-1].URL, "/")
}

// args are curl's options that send the first example there is.
func (b requestBody) args() []string {
	for _, m := range b.Content {
		example := m.Value.Example
		switch {
		case example == nil:
		case m.Name == "application/x-www-form-urlencoded":
			return formArgs("--data-urlencode ", example)
		case m.Name == "multipart/form-data":
			return formArgs("--form-string ", example)
		default:
			text := string(example)
			if m.Name != "application/json" {
				_ = json.Unmarshal(example, &text) // any other body is text
			}
			return []string{"-H " + quote("Content-Type: "+m.Name), "-d " + quote(text)}
		}
	}
	return nil
}

func formArgs(option string, example json.RawMessage) []string {
	var fields ordered[string]
	_ = json.Unmarshal(example, &fields) // the fields of a form are text
	args := make([]string, len(fields))
	for i, f := range fields {
		args[i] = option + quote(f.Name+"="+f.Value)
	}
	return args
}

// credentials are curl's options for the first alternative of the operation's security, if commands get them.
func (d document) credentials(o operation) (args []string, ok bool) {
	for _, s := range d.Components.SecuritySchemes {
		switch {
		case len(o.Security) == 0 || !o.Security[0].has(s.Name):
		case s.Value.Shell == "":
			return nil, false
		case s.Value.Scheme == "bearer":
			args = append(args, "-H "+quote("Authorization: Bearer $token"))
		case s.Value.Scheme == "basic":
			args = append(args, "-u "+quote("$client"))
		case s.Value.In == "header":
			args = append(args, "-H "+quote(s.Value.Name+": $key"))
		case s.Value.In == "cookie":
			args = append(args, "-b cookies")
		}
	}
	return args, true
}

// answers reports whether an answer may be of the media type.
func (o operation) answers(media string) bool {
	return slices.ContainsFunc(o.Responses, func(r member[response]) bool { return r.Value.Content.has(media) })
}

var (
	plain    = regexp.MustCompile(`^[A-Za-z0-9:/._,=@%+-]+$`)
	special  = regexp.MustCompile("[\"`\\\\!]|[$]([^a-z_]|$)") // in double quotes
	variable = regexp.MustCompile(`\$[a-z_]+`)
)

// quote is a word of a POSIX shell that is the text, with its variables' values.
func quote(text string) string {
	switch {
	case plain.MatchString(text):
		return text
	case variable.MatchString(text) && !special.MatchString(text):
		return `"` + text + `"`
	}
	text = strings.ReplaceAll(text, "'", `'\''`)
	return "'" + variable.ReplaceAllString(text, `'"$0"'`) + "'"
}

// Package config reads twelve-factor settings from the environment into a
// struct and reports every mistake at once.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
)

// Load returns defaults overlaid with what environ ("KEY=value" lines, as os.Environ gives them) sets. Fields are named
// by `env:"KEY"` tags, also those of embedded structs if these are exported; `,required` and `,notEmpty` after the key
// are honoured. KEY_FILE names a file that holds the value instead, as container platforms provide secrets. The error
// has one line for each mistake and never repeats a value, which may be a secret.
func Load[T any](defaults T, environ []string) (T, error) {
	settings, values := defaults, env.ToMap(environ)
	mistakes := readFiles[T](values)
	err := env.ParseWithOptions(&settings, env.Options{
		Environment: values,
		FuncMap:     map[reflect.Type]env.ParserFunc{reflect.TypeFor[[]netip.Prefix](): prefixes},
	})
	var all env.AggregateError
	if err != nil && !errors.As(err, &all) {
		return defaults, fmt.Errorf("read settings: %w", err)
	}
	for _, e := range all.Errors {
		mistakes = append(mistakes, mistake[T](e))
	}
	if len(mistakes) > 0 {
		return defaults, fmt.Errorf("invalid settings:\n  %s", strings.Join(mistakes, "\n  "))
	}
	return settings, nil
}

// readFiles sets each KEY that a KEY_FILE stands for, without the line's end.
func readFiles[T any](values map[string]string) (mistakes []string) {
	for _, name := range keys[T]() {
		file, ok := values[name+"_FILE"]
		if !ok || file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		switch _, both := values[name]; {
		case both:
			mistakes = append(mistakes, name+" and "+name+"_FILE are both set")
		case err != nil:
			mistakes = append(mistakes, name+"_FILE cannot be read")
			values[name] = "unread" // one mistake is one line
		default:
			values[name] = strings.TrimRight(string(text), "\r\n")
		}
	}
	return mistakes
}

// prefixes reads networks with commas between them. It refuses IPv4 networks that are written as IPv6: netip finds no
// address in them.
func prefixes(text string) (any, error) {
	var all []netip.Prefix
	for part := range strings.SplitSeq(text, ",") {
		prefix, err := netip.ParsePrefix(strings.TrimSpace(part))
		if err != nil || prefix.Addr().Is4In6() {
			return nil, errors.New("not a network")
		}
		all = append(all, prefix)
	}
	return all, nil
}

func mistake[T any](err error) string {
	var unset env.VarIsNotSetError
	var empty env.EmptyVarError
	var parse env.ParseError
	switch {
	case errors.As(err, &unset):
		return unset.Key + " is not set"
	case errors.As(err, &empty):
		return empty.Key + " is empty"
	case errors.As(err, &parse):
		return keys[T]()[parse.Name] + " is not " + form(parse.Type)
	default:
		return err.Error()
	}
}

// form says how values of the type are written.
func form(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[slog.Level]():
		return "debug, info, warn or error"
	case reflect.TypeFor[[]netip.Prefix]():
		return "a list of networks such as 10.0.0.0/8, fd00::/8"
	case reflect.TypeFor[time.Duration]():
		return "a length of time with its unit, such as 5s, 500ms or 2m"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[float64]():
		return "a number"
	default:
		return "a whole number, or is too large"
	}
}

// keys are the environment's names of T's fields, by the fields' own names.
func keys[T any]() map[string]string {
	all := map[string]string{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if name, _, _ := strings.Cut(f.Tag.Get("env"), ","); name != "" {
			all[f.Name] = name
		}
	}
	return all
}

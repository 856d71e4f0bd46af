// Package config reads twelve-factor settings from the environment into a
// struct and reports every mistake at once.
package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// Load returns defaults overlaid with what environ ("KEY=value" lines, as
// os.Environ gives them) sets. Fields are named by `env:"KEY"` tags; `,required`
// and `,notEmpty` after the key are honoured, and so is `,file`, which reads a
// secret from the file that the value names. The error has one line for each
// mistake and never repeats a value, which may be a secret.
func Load[T any](defaults T, environ []string) (T, error) {
	settings := defaults
	err := env.ParseWithOptions(&settings, env.Options{Environment: env.ToMap(environ)})
	if err == nil {
		return settings, nil
	}
	var all env.AggregateError
	if !errors.As(err, &all) {
		return defaults, fmt.Errorf("read settings: %w", err)
	}
	lines := make([]string, len(all.Errors))
	for i, e := range all.Errors {
		lines[i] = "  " + mistake[T](e)
	}
	return defaults, fmt.Errorf("settings to mend:\n%s", strings.Join(lines, "\n"))
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
		return fmt.Sprintf("%s is not a valid %s", key[T](parse.Name), parse.Type)
	default:
		return err.Error()
	}
}

// key is the environment's name for a field, which ParseError knows by its Go name.
func key[T any](field string) string {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		if tag := f.Tag.Get("env"); f.Name == field && tag != "" {
			name, _, _ := strings.Cut(tag, ",")
			return name
		}
	}
	return field
}

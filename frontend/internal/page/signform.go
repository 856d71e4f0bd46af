package page

import (
	"net/url"

	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
)

// loginForm is /login's form filled with what was typed, never the password.
func loginForm(values url.Values) view.SignForm {
	return view.SignForm{
		ID: "login-form", Action: "/login", Submit: "Sign in", Next: redirect.Safe(values.Get("next")),
		Fields: []view.Field{
			{Name: "username", Label: "Username or e-mail", Type: "text", Value: values.Get("username"),
				Autocomplete: "username"},
			{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		},
	}
}

// registerForm is /register's.
func registerForm(values url.Values) view.SignForm {
	return view.SignForm{
		ID: "register-form", Action: "/register", Submit: "Make my account", Next: redirect.Safe(values.Get("next")),
		Fields: []view.Field{
			{
				Name: "username", Label: "Username", Type: "text", Value: values.Get("username"), Autocomplete: "username",
				Hint: "3 to 32 letters, digits, dots, dashes or underscores",
			},
			{Name: "email", Label: "E-mail", Type: "email", Value: values.Get("email"), Autocomplete: "email"},
			{
				Name: "password", Label: "Password", Type: "password", Autocomplete: "new-password",
				Hint: "At least 10 characters. A few words in a row are easy to keep.",
			},
		},
	}
}

// markInvalid ties each broken rule to its input and puts the cursor into the
// first; a rule of no input of ours is said above them.
func markInvalid(form *view.SignForm, broken []fault.Field) {
	form.Problem = "Almost. Mend what is marked below."
	for _, b := range broken {
		field := fieldOf(form, b.Field)
		if field == nil {
			form.Problem = "Almost: " + b.Field + " " + b.Message + "."
			continue
		}
		if field.Error == "" {
			field.Error = field.Label + " " + b.Message
		}
		field.Invalid = true
	}
	for i := range form.Fields {
		if form.Fields[i].Invalid {
			form.Fields[i].Focus = true
			return
		}
	}
}

// markBoth ties the form's problem to two inputs that are wrong together.
func markBoth(form *view.SignForm, first, second string) {
	for _, name := range []string{first, second} {
		if field := fieldOf(form, name); field != nil {
			field.Invalid, field.ErrorID = true, form.ID+"-problem"
			field.Focus = name == first
		}
	}
}

func fieldOf(form *view.SignForm, name string) *view.Field {
	for i := range form.Fields {
		if form.Fields[i].Name == name {
			return &form.Fields[i]
		}
	}
	return nil
}

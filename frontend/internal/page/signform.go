package page

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"craftista/frontend/internal/redirect"
	"craftista/frontend/internal/view"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// loginForm is /login's form filled with what was typed, never the password.
func loginForm(values url.Values) view.SignForm {
	return view.SignForm{
		ID: "login-form", Action: "/login", Submit: "Sign in", Next: redirect.Safe(values.Get("next")),
		Fields: []*view.Field{
			{Name: "username", Label: "Username or e-mail", Type: "text", Value: values.Get("username"),
				Autocomplete: "username"},
			{Name: "password", Label: "Password", Type: "password", Autocomplete: "current-password"},
		},
	}
}

// registerForm is /register's.
func registerForm(values url.Values) view.SignForm {
	return view.SignForm{
		ID: "register-form", Action: "/register", Submit: "Create account", Next: redirect.Safe(values.Get("next")),
		Fields: []*view.Field{
			{
				Name: "username", Label: "Username", Type: "text", Value: values.Get("username"), Autocomplete: "username",
				Hint: "3 to 32 letters, digits, dots, dashes or underscores",
			},
			{Name: "email", Label: "E-mail", Type: "email", Value: values.Get("email"), Autocomplete: "email"},
			newPasswordField("password", "Password"),
		},
	}
}

// passwordForm is the form of /account for the person of that name. It never repeats
// what was typed.
func passwordForm(username string) view.SignForm {
	return view.SignForm{
		ID: "password-form", Action: "/account/password", Submit: "Change password", Username: username,
		Fields: []*view.Field{
			{Name: "current_password", Label: "Current password", Type: "password", Autocomplete: "current-password"},
			newPasswordField("new_password", "New password"),
		},
	}
}

// maxPasswordUnits is four times 128. A browser counts UTF-16 code units, before
// letters are composed, and cuts what is pasted without a word: nothing that auth
// takes may be cut.
const maxPasswordUnits = "512"

func newPasswordField(name, label string) *view.Field {
	return &view.Field{
		Name: name, Label: label, Type: "password", Autocomplete: "new-password",
		MinLength: "10", MaxLength: maxPasswordUnits,
		Hint: "10 to 128 characters. A few random words are easy to remember.",
	}
}

// refuseForm shows the form again with what is wrong, to htmx alone and else by
// whole. An err that neither the form's problem nor its fields say goes on up.
func refuseForm(
	w http.ResponseWriter, r *http.Request, form view.SignForm, err error, whole func(int, view.SignForm) error,
) error {
	f := web.FaultOf(err)
	switch {
	case f.Kind == fault.Invalid:
		form.Problem = markInvalid(form.Fields, f.Fields)
	case f.Kind == fault.Throttled:
		form.Problem = "Too many attempts. " + wait(f)
	case form.Problem == "":
		return err
	}
	web.RecordError(r.Context(), err)
	web.SetFaultHeaders(w.Header(), &fault.Error{RetryAfter: f.RetryAfter}) // no challenge: people sign in by the form
	status := web.Status(f.Kind)
	if fragment(r) {
		return send(w, r, status, view.SignFormView(form))
	}
	return whole(status, form)
}

func wait(f *fault.Error) string {
	if seconds := int64(f.RetryAfter.Seconds()); seconds > 0 {
		return "Wait " + plural(seconds, "second") + " and try again."
	}
	return "Wait a moment and try again."
}

// markInvalid ties each broken rule to its input and puts the cursor into the
// first. What it returns is said above them, such as a rule of no input of ours.
func markInvalid(fields []*view.Field, broken []fault.Field) string {
	problem := "Please fix what is marked below."
	for _, b := range broken {
		i := slices.IndexFunc(fields, func(f *view.Field) bool { return f.Name == b.Field })
		if i < 0 {
			problem = "Please check: " + b.Field + " " + b.Message + "."
			continue
		}
		fields[i].Invalid = true
		fields[i].Error = cmp.Or(fields[i].Error, fields[i].Label+" "+b.Message)
	}
	if i := slices.IndexFunc(fields, func(f *view.Field) bool { return f.Invalid }); i >= 0 {
		fields[i].Focus = true
	}
	return problem
}

// markPair says the problem, which is that the form's first two inputs do not go
// together.
func markPair(form *view.SignForm, problem string) {
	form.Problem = problem
	for _, field := range form.Fields[:2] {
		field.Invalid, field.ErrorID = true, form.ID+"-problem"
	}
	form.Fields[0].Focus = true
}

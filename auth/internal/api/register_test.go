package api_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"craftista/shared/fault"
)

const registerPath = "/api/auth/register"

func TestRegisterStoresThePersonAndNoPassword(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	a := s.register(t, "Crane", "Crane@Example.com", password)
	equal(t, "body", a.Body, `{"message":"registered","user_id":1,"username":"Crane"}`)
	equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "no-store")
	type row struct{ ID, Username, Email, Role, Hash string }
	var got row
	const query = `SELECT id, username, email, role, password_hash AS hash FROM auth.users`
	if err := s.db.GetContext(t.Context(), &got, query); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.Hash, "hmac-sha384:$2a$04$") || len(got.Hash) != 72 {
		t.Errorf("the stored hash: %s", got.Hash)
	}
	equal(t, "row", got, row{"1", "Crane", "Crane@Example.com", "user", got.Hash})
}

func TestRegisterNeedsTheInternalKey(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	body := text(t, registration{"Crane", "crane@example.com", password})
	for name, headers := range map[string][]string{
		"no key":                nil,
		"an empty key":          {"X-Internal-API-Key", ""},
		"a wrong key":           {"X-Internal-API-Key", "the-internal-kez"},
		"the key and more":      {"X-Internal-API-Key", internalKey + "x"},
		"a part of the key":     {"X-Internal-API-Key", internalKey[:5]},
		"the key in upper case": {"X-Internal-API-Key", strings.ToUpper(internalKey)},
		"the key as a bearer":   {"Authorization", "Bearer " + internalKey},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.request(t, http.MethodPost, registerPath, body, headers...)
			wantProblem(t, a, http.StatusUnauthorized, registerPath, "this needs the internal API key")
			equal(t, "WWW-Authenticate", a.Header.Get("WWW-Authenticate"), "Bearer")
		})
	}
}

const (
	usernameRule = "must be 3 to 32 letters (a to z), digits, dots, dashes or underscores"
	emailRule    = "does not look like an e-mail address"
	lengthRule   = "must be 10 to 128 characters long"
	nameRule     = "must not be the username or the e-mail address"
	commonRule   = "is one of the 10,000 most common passwords"
)

// TestRegisterRefuses breaks all rules at once, and then one in each row.
func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	refused := func(name string, in registration, field, rule string) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.refuses(t, in, fault.Field{Field: field, Message: rule})
		})
	}
	s.refuses(t, registration{}, fault.Field{Field: "username", Message: usernameRule},
		fault.Field{Field: "email", Message: emailRule}, fault.Field{Field: "password", Message: lengthRule})
	for name, username := range map[string]string{
		"short username":     "ab",
		"long username":      strings.Repeat("a", 33),
		"space in username":  "paper crane",
		"space around it":    " crane ",
		"at in username":     "crane@home",
		"other letters":      "журавль",
		"look-alike letter":  "cr\u0430ne",
		"markup in username": "<b>crane",
		"NUL in username":    "cra\x00ne",
		"newline after it":   "crane\n",
	} {
		refused(name, registration{username, "a@example.com", password}, "username", usernameRule)
	}
	for name, email := range map[string]string{
		"no at in e-mail":     "example.com",
		"nothing before at":   "@example.com",
		"nothing after at":    "crane@",
		"two dots":            "crane@example..com",
		"display name":        "Crane <crane@example.com>",
		"angle brackets":      "<crane@example.com>",
		"comment":             "crane@example.com (Crane)",
		"two addresses":       "a@example.com,b@example.com",
		"space before e-mail": " crane@example.com",
		"header injection":    "crane@example.com\r\nBcc: all@example.com",
		"NUL in e-mail":       "crane\x00@example.com",
		"direction override":  "crane\u202e@example.com",
		"markup in e-mail":    "<script>@example.com",
		"e-mail of 255 bytes": strings.Repeat("a", 255-12) + "@example.com",
	} {
		refused(name, registration{"crane", email, password}, "email", emailRule)
	}
	for name, row := range map[string][2]string{
		"password of 9":         {"ninebytes", lengthRule},
		"9 letters of 27 bytes": {strings.Repeat("折", 9), lengthRule},
		"password of 129":       {strings.Repeat("p", 129), lengthRule},
		"the username":          {"paper.crane", nameRule},
		"the e-mail address":    {"crane@example.COM", nameRule},
		"a common password":     {"1q2w3e4r5t", commonRule},
		"it in upper case":      {"QwertyUiop", commonRule},
	} {
		refused(name, registration{"Paper.Crane", "Crane@Example.com", row[0]}, "password", row[1])
	}
}

// refuses checks that registering is refused for those rules, and that the
// address stays out of the log.
func (s *service) refuses(t *testing.T, in registration, broken ...fault.Field) {
	t.Helper()
	a := s.register(t, in.Username, in.Email, in.Password)
	wantProblem(t, a, http.StatusUnprocessableEntity, registerPath, "the request breaks a rule", broken...)
	if in.Email != "" && strings.Contains(s.logs.String(), in.Email) {
		t.Errorf("the address is in the log:\n%s", s.logs)
	}
}

func TestRegisterTakesWhatTheRulesAllow(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, in := range map[string]registration{
		"shortest":                  {"abc", "a@b", "ten bytes."},
		"longest username":          {strings.Repeat("Z", 32), "long@example.com", password},
		"every kind of character":   {"a_B.9-", "kinds@example.com", password},
		"plus and dots in e-mail":   {"plus", "first.last+tag@sub.example.com", password},
		"e-mail in other letters":   {"idn", "журавль@пример.рф", password},
		"e-mail of 254 bytes":       {"long-mail", strings.Repeat("a", 254-12) + "@example.com", password},
		"password of 128":           {"p128", "p128@example.com", strings.Repeat("p", 128)},
		"128 letters, 384 bytes":    {"p384", "p384@example.com", strings.Repeat("折", 128)},
		"10 letters":                {"p10", "p10@example.com", strings.Repeat("é", 10)},
		"NUL in password":           {"nul", "nul@example.com", "paper\x00crane"},
		"spaces and symbols":        {"spaces", "spaces@example.com", "  <b>'; -- 折り紙  "},
		"password with the name in": {"crane", "crane@example.com", "crane crane"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantStatus(t, "register", s.register(t, in.Username, in.Email, in.Password), http.StatusOK)
			for _, as := range []string{in.Username, in.Email} {
				wantStatus(t, fmt.Sprintf("login as %q", as), s.login(t, as, in.Password), http.StatusOK)
			}
			wantStatus(t, "login with one letter more", s.login(t, in.Username, in.Password+"x"), http.StatusUnauthorized)
		})
	}
}

func TestRegisterSaysTakenWithOneText(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	for name, in := range map[string]registration{
		"same username":            {"Crane", "other@example.com", password},
		"username in another case": {"cRANE", "other@example.com", password},
		"same e-mail":              {"other", "Crane@Example.com", password},
		"e-mail in another case":   {"other", "crane@EXAMPLE.COM", password},
		"both":                     {"crane", "crane@example.com", password},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.register(t, in.Username, in.Email, in.Password)
			wantProblem(t, a, http.StatusConflict, registerPath, "the username or the e-mail address is taken")
		})
	}
}

func TestRegisterAtOnceLetsOneIn(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	const names = "cranecranecranecrane"
	for what, in := range map[string]func(i int) registration{
		"username": func(i int) registration {
			return registration{mixed(names, i), fmt.Sprintf("u%d@example.com", i), password}
		},
		"e-mail": func(i int) registration {
			return registration{fmt.Sprintf("person-%d", i), mixed(names, i) + "@example.com", password}
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			got := atOnce(20, func(i int) int {
				r := in(i)
				return s.register(t, r.Username, r.Email, r.Password).Status
			})
			equal(t, "how often each status", got, map[int]int{http.StatusOK: 1, http.StatusConflict: 19})
		})
	}
}

// mixed is name with its letter i in upper case.
func mixed(name string, i int) string {
	return name[:i] + strings.ToUpper(name[i:i+1]) + name[i+1:]
}

// FuzzRegister checks that no registration is answered with a 5xx, and that whoever
// registers can sign in, by name and by address.
func FuzzRegister(f *testing.F) {
	s := start(f, setup{})
	f.Add("Crane", "Crane@Example.com", password)
	for i, text := range hostile() {
		f.Add(text, "crane@example.com", password)
		f.Add("crane"+string(rune('a'+i)), text, password)
		f.Add("crane"+string(rune('a'+i)), string(rune('a'+i))+"@example.com", text)
	}
	f.Fuzz(func(t *testing.T, username, email, given string) {
		status := s.send(t, registerPath, registration{username, email, given},
			http.StatusOK, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge)
		if status == http.StatusOK {
			s.send(t, loginPath, map[string]string{"username": username, "password": given}, http.StatusOK)
			s.send(t, loginPath, map[string]string{"username": email, "password": given}, http.StatusOK)
		}
	})
}

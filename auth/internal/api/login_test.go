package api_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const loginPath = "/api/auth/login"

func TestLoginGivesATokenThatOthersVerifyByTheJWKS(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id := s.person(t)
	before := time.Now().Truncate(time.Second)
	a := s.login(t, "Crane", password)
	wantStatus(t, "login", a, http.StatusOK)
	equal(t, "Cache-Control", a.Header.Get("Cache-Control"), "no-store") // RFC 6749 section 5.1
	reply := read[map[string]any](t, a)
	raw, _ := reply["access_token"].(string)
	delete(reply, "access_token")
	if refresh, _ := reply["refresh_token"].(string); len(refresh) != 43 { // 256 bits
		t.Errorf("refresh_token %q", refresh)
	}
	delete(reply, "refresh_token")
	equal(t, "reply besides the tokens", reply,
		map[string]any{"token_type": "Bearer", "expires_in": 900.0, "refresh_expires_in": 2592000.0})

	user, err := s.verifier().Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := token.User{ID: id, Name: "Crane", Role: token.RoleUser, Session: "1", Expires: before.Add(15 * time.Minute)}
	equal(t, "user", user, want, cmpopts.EquateApproxTime(5*time.Second))
}

func TestTokenCarriesWhatTheContractNames(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id := s.person(t)
	first, second := claimsOf(t, s.signIn(t)), claimsOf(t, s.signIn(t))
	equal(t, "header", first.header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": s.kids(t)[0]})
	iat, _ := first.claims["iat"].(float64)
	if age := time.Since(time.Unix(int64(iat), 0)); age < 0 || age > 5*time.Second {
		t.Errorf("iat is %v ago", age)
	}
	jti, _ := first.claims["jti"].(string)
	if len(jti) < 22 || jti == second.claims["jti"] {
		t.Errorf("jti %q, then %q: not 128 random bits each", jti, second.claims["jti"])
	}
	want := jwt.MapClaims{
		"iss": s.URL, "sub": strconv.FormatInt(id, 10), "aud": []any{audience},
		"iat": iat, "exp": iat + 900, "jti": jti, "preferred_username": "Crane", "role": "user", "sid": "1",
	}
	equal(t, "claims", first.claims, want)
}

func TestLoginByAnyNameCarriesTheRole(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	for role, names := range map[string][]string{
		token.RoleUser:    {"Crane", "Crane@Example.com"},
		token.RoleCurator: {"crane", "crane@example.com"},
		token.RoleAdmin:   {"CRANE", "CRANE@EXAMPLE.COM"},
	} {
		s.exec(t, `UPDATE auth.users SET role = $1`, role)
		for _, name := range names {
			a := s.login(t, name, password)
			equal(t, name+"'s role", claimsOf(t, read[tokens](t, a).Access).claims["role"], any(role))
		}
	}
}

func TestLoginRefusesWithOneText(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	s.exec(t, `INSERT INTO auth.users (username, email, password_hash) VALUES ('voter', 'voter@example.com', '!')`)
	for name, in := range map[string][2]string{
		"wrong password":            {"Crane", wrong},
		"password in another case":  {"Crane", strings.ToUpper(password)},
		"space after the password":  {"Crane", password + " "},
		"NUL and it again":          {"Crane", password + "\x00" + password},
		"endless password":          {"Crane", strings.Repeat("p", 50_000)},
		"nobody":                    {"nobody", password},
		"nobody's address":          {"nobody@example.com", password},
		"a part of the name":        {"Cran", password},
		"a pattern":                 {"C%", password},
		"SQL":                       {"' OR 1=1 --", password},
		"NUL in the name":           {"Crane\x00", password},
		"markup":                    {"<script>alert(1)</script>", password},
		"other letters":             {"журавль", password},
		"endless name":              {strings.Repeat("n", 50_000), password},
		"seeded without a password": {"voter", password},
		"its mark as the password":  {"voter", "!"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.login(t, in[0], in[1])
			wantProblem(t, a, http.StatusUnauthorized, loginPath, "the name or the password is wrong")
		})
	}
}

func TestLoginNeedsBoth(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, body := range []string{
		`{}`, `null`, `{"username":"crane"}`, `{"password":"x"}`, `{"username":"","password":""}`,
	} {
		a := s.request(t, http.MethodPost, loginPath, body)
		wantProblem(t, a, http.StatusBadRequest, loginPath, "username and password are needed")
	}
}

// TestLoginCostTellsNothing is not parallel: it compares times. A refusal that
// skipped the hash would take a tenth of the others' time. A busy machine can
// falsify one comparison, so the test fails only if five in a row fail.
func TestLoginCostTellsNothing(t *testing.T) {
	s := start(t, setup{hasher: account.NewHasher(7, 2, 8)})
	s.person(t)
	s.exec(t, `INSERT INTO auth.users (username, email, password_hash) VALUES ('voter', 'voter@example.com', '!')`)
	var ratios []float64
	for range 5 {
		ratios = s.costs(t, "Crane", "nobody", "voter", "Crane\x00")
		if slices.Min(ratios) >= 0.5 && slices.Max(ratios) <= 2 {
			return
		}
	}
	t.Errorf("the time to refuse each, as a part of that to refuse a person's wrong password: %v", ratios)
}

// costs is the median time of refusing each name, as a part of the first one's.
func (s *service) costs(t *testing.T, names ...string) []float64 {
	t.Helper()
	times := map[string][]time.Duration{}
	for range 11 {
		for _, name := range names { // in turn, so that a busy machine delays all alike
			begin := time.Now()
			wantStatus(t, name, s.login(t, name, wrong), http.StatusUnauthorized)
			times[name] = append(times[name], time.Since(begin))
		}
	}
	ratios := make([]float64, len(names))
	for i, name := range names {
		ratios[i] = float64(median(times[name])) / float64(median(times[names[0]]))
	}
	return ratios
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func TestLogNamesPeopleByIDOnly(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	raw := s.signIn(t)
	s.login(t, "crane@example.com", wrong)
	s.login(t, "nobody@example.com", wrong)
	s.register(t, "other", "crane@example.com", password)
	s.getAs(t, raw, "/api/auth/status")
	logged := s.logs.String()
	for _, secret := range []string{"paper cranes", "xample.com", raw, internalKey, "$2a$"} {
		if strings.Contains(strings.ToLower(logged), strings.ToLower(secret)) {
			t.Errorf("%q is in the log:\n%s", secret, logged)
		}
	}
	for _, event := range []string{
		`"msg":"registered","service":"auth","user_id":1`, `"msg":"signed in","service":"auth","user_id":1`,
		`"msg":"sign-in failed","service":"auth","user_id":1`, `"msg":"sign-in failed","service":"auth","user_id":0`,
	} {
		s.wantLog(t, event)
	}
}

// FuzzLogin checks that no name and password are answered with a 5xx, and that
// nobody gets in but with the password.
func FuzzLogin(f *testing.F) {
	s := start(f, setup{})
	s.send(f, registerPath, registration{"Crane", "Crane@Example.com", password}, http.StatusOK)
	f.Add("Crane", password)
	for _, text := range hostile() {
		f.Add("Crane", text)
		f.Add(text, password)
	}
	f.Fuzz(func(t *testing.T, username, given string) {
		status := s.send(t, loginPath, map[string]string{"username": username, "password": given},
			http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusRequestEntityTooLarge)
		if status == http.StatusOK && given != password {
			t.Errorf("%q gets in with %q", username, given)
		}
	})
}

package api_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"golang.org/x/crypto/bcrypt"
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
	want := token.User{ID: id, Name: "Crane", Role: token.RoleUser, Session: "1", Expires: user.Expires}
	equal(t, "user", user, want)
	if end := user.Expires.Add(-15 * time.Minute); end.Before(before) || end.After(time.Now()) {
		t.Errorf("expires at %v, signed in at %v", user.Expires, before)
	}
}

func TestTokenCarriesWhatTheContractNames(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id, before := s.person(t), time.Now().Unix()
	first, second := claimsOf(t, s.signIn(t)), claimsOf(t, s.signIn(t))
	equal(t, "header", first.header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": s.kids(t)[0]})
	jti, _ := first.claims["jti"].(string)
	if len(jti) < 22 || jti == second.claims["jti"] {
		t.Errorf("jti %q, then %q: not 128 random bits each", jti, second.claims["jti"])
	}
	iat, _ := first.claims["iat"].(float64)
	if int64(iat) < before || int64(iat) > time.Now().Unix() {
		t.Errorf("iat is %v, signed in at %d", iat, before)
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
		token.RoleUser:    {"Crane", "Crane@Example.com", " Crane", "\tCrane@Example.com \n"},
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

// storeOldHash gives Crane the password in a hash of before digests.
func (s *service) storeOldHash(t *testing.T, password string) {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	s.exec(t, `UPDATE auth.users SET password_hash = $1 WHERE username = 'Crane'`, string(hash))
}

// hash is what is stored of Crane's password.
func (s *service) hash(t *testing.T) (hash string) {
	t.Helper()
	const query = `SELECT password_hash FROM auth.users WHERE username = 'Crane'`
	if err := s.db.GetContext(t.Context(), &hash, query); err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestAnOldHashIsRenewedAtSignIn has a password shorter than the rule is.
func TestAnOldHashIsRenewedAtSignIn(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	before := s.tokens(t)
	s.storeOldHash(t, "crane")
	old := s.hash(t)
	wantStatus(t, "a wrong password", s.login(t, "Crane", wrong), http.StatusUnauthorized)
	equal(t, "the hash after it", s.hash(t), old)
	wantStatus(t, "the password", s.login(t, "Crane", "crane"), http.StatusOK)
	renewed := s.hash(t)
	if !strings.HasPrefix(renewed, "hmac-sha384:$2a$04$") {
		t.Errorf("the hash after it: %s", renewed)
	}
	wantStatus(t, "again", s.login(t, "Crane", "crane"), http.StatusOK)
	equal(t, "the hash then", s.hash(t), renewed)
	wantStatus(t, "a wrong one", s.login(t, "Crane", password), http.StatusUnauthorized)
	s.refreshed(t, before.Refresh) // nobody is signed out by it
}

func TestAnOldHashIsRenewedByOneOfManySignIns(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	for range 5 {
		s.storeOldHash(t, password)
		got := atOnce(8, func(int) int { return s.login(t, "Crane", password).Status })
		equal(t, "how often each status", got, map[int]int{http.StatusOK: 8})
	}
}

// TestARenewalUndoesNothing has the person changed after the old hash was read and
// before it is replaced.
func TestARenewalUndoesNothing(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	current := s.hash(t)
	for change, status := range map[string]int{
		`disabled_at = now()`:               http.StatusUnauthorized,
		`password_hash = 'another'`:         http.StatusUnauthorized,
		`password_hash = '` + current + `'`: http.StatusOK,
	} {
		s.exec(t, `UPDATE auth.users SET disabled_at = NULL`)
		s.storeOldHash(t, password)
		wantStatus(t, change, s.loginDuring(t, change), status)
		if strings.HasPrefix(change, "password_hash") && !strings.Contains(change, s.hash(t)) {
			t.Errorf("after %s the hash is %s", change, s.hash(t))
		}
	}
}

// TestWhatChangesDuringASignInHolds has the person changed after the password was
// read and before the session is stored.
func TestWhatChangesDuringASignInHolds(t *testing.T) {
	t.Parallel()
	s := startWithCrane(t)
	for _, row := range []struct {
		change string
		status int
		role   any
	}{
		{`role = 'curator'`, http.StatusOK, "curator"},
		{`disabled_at = now()`, http.StatusUnauthorized, nil},
		{`password_hash = 'another'`, http.StatusUnauthorized, nil},
	} {
		s.exec(t, `UPDATE auth.users SET disabled_at = NULL`)
		a := s.loginDuring(t, row.change)
		wantStatus(t, row.change, a, row.status)
		if a.Status == http.StatusOK {
			equal(t, "role", claimsOf(t, read[tokens](t, a).Access).claims["role"], row.role)
		}
	}
}

// loginDuring is Crane's sign-in that reads the person before the change, and finds
// them changed when it is about to write.
func (s *service) loginDuring(t *testing.T, change string) answer {
	t.Helper()
	tx := s.admin.MustBeginTx(t.Context(), nil)
	tx.MustExecContext(t.Context(), `UPDATE auth.users SET `+change)
	signedIn := make(chan answer, 1)
	go func() { signedIn <- s.login(t, "Crane", password) }()
	const waiting = `SELECT count(*) FROM pg_stat_activity
		WHERE datname = current_database() AND wait_event_type = 'Lock'`
	for n := 0; n == 0 && t.Context().Err() == nil; {
		if err := s.admin.GetContext(t.Context(), &n, waiting); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return <-signedIn
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
			wantProblem(t, a, http.StatusUnauthorized, loginPath, "wrong username or password")
		})
	}
}

func TestLoginAndRefreshNeedTheirFields(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for _, body := range []string{
		`{}`, `{"username":"crane"}`, `{"password":"x"}`, `{"username":"","password":""}`,
	} {
		a := s.request(t, http.MethodPost, loginPath, body)
		wantProblem(t, a, http.StatusBadRequest, loginPath, "username and password are needed")
	}
	for _, body := range []string{`{}`, `{"refresh_token":""}`} {
		a := s.request(t, http.MethodPost, refreshPath, body)
		wantProblem(t, a, http.StatusBadRequest, refreshPath, "refresh_token is needed")
	}
}

// TestEveryRefusedLoginHashes has a service that cannot hash, so that only a refusal
// without hashing, whose time would tell who exists, is no 503.
func TestEveryRefusedLoginHashes(t *testing.T) {
	t.Parallel()
	config := replicated(t)
	s := start(t, config)
	s.person(t)
	s.exec(t, `INSERT INTO auth.users (username, email, password_hash) VALUES ('voter', 'voter@example.com', '!')`)
	config.hasher = account.NewHasher(4, 0, 0)
	busy := start(t, config)
	for _, name := range []string{"Crane", "nobody", "voter", "Crane\x00"} {
		wantStatus(t, name, busy.login(t, name, wrong), http.StatusServiceUnavailable)
	}
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
	for _, secret := range []string{"paper cranes", "xample.com", raw, internalKey, "$2a$", "hmac-sha384"} {
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

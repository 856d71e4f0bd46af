package api_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"craftista/auth/internal/account"
	"craftista/shared/token"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const loginPath = "/api/auth/login"

func TestLoginGivesATokenThatOthersVerifyByTheJWKS(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id := s.person(t)
	before := time.Now().Truncate(time.Second)
	a := s.login(t, "Crane", password)
	if a.Status != http.StatusOK {
		t.Fatalf("status %d: %s", a.Status, a.Body)
	}
	if got, want := a.Header.Get("Cache-Control"), "no-store"; got != want { // RFC 6749 section 5.1
		t.Errorf("Cache-Control %q, want %q", got, want)
	}
	reply := read[map[string]any](t, a)
	raw, _ := reply["access_token"].(string)
	delete(reply, "access_token")
	if refresh, _ := reply["refresh_token"].(string); len(refresh) != 43 { // 256 bits
		t.Errorf("refresh_token %q", refresh)
	}
	delete(reply, "refresh_token")
	if diff := cmp.Diff(reply, map[string]any{"token_type": "Bearer", "expires_in": 900.0, "refresh_expires_in": 2592000.0}); diff != "" {
		t.Errorf("reply besides the tokens (-got +want):\n%s", diff)
	}

	verifier := token.NewVerifier(token.NewRemoteKeys(s.URL+"/.well-known/jwks.json", http.DefaultClient), s.URL, audience)
	user, err := verifier.Verify(t.Context(), raw)
	if err != nil {
		t.Fatal(err)
	}
	want := token.User{ID: id, Name: "Crane", Role: token.RoleUser, Session: "1", Expires: before.Add(15 * time.Minute)}
	if diff := cmp.Diff(user, want, cmpopts.EquateApproxTime(5*time.Second)); diff != "" {
		t.Errorf("user (-got +want):\n%s", diff)
	}
}

func TestTokenCarriesWhatTheContractNames(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	id := s.person(t)
	first, second := claimsOf(t, s.signIn(t)), claimsOf(t, s.signIn(t))
	kid := read[struct {
		Keys []struct {
			Kid string `json:"kid"`
		} `json:"keys"`
	}](t, s.get(t, "/.well-known/jwks.json")).Keys[0].Kid
	if diff := cmp.Diff(first.header, map[string]any{"alg": "RS256", "typ": "at+jwt", "kid": kid}); diff != "" {
		t.Errorf("header (-got +want):\n%s", diff)
	}
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
	if diff := cmp.Diff(first.claims, want); diff != "" {
		t.Errorf("claims (-got +want):\n%s", diff)
	}
}

type parsed struct {
	header map[string]any
	claims jwt.MapClaims
}

func claimsOf(t *testing.T, raw string) parsed {
	t.Helper()
	claims := jwt.MapClaims{}
	read, _, err := jwt.NewParser().ParseUnverified(raw, claims)
	if err != nil {
		t.Fatal(err)
	}
	return parsed{header: read.Header, claims: claims}
}

func TestLoginByAnyNameOfThePerson(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	for _, name := range []string{"Crane", "crane", "CRANE", "Crane@Example.com", "crane@example.com", "CRANE@EXAMPLE.COM"} {
		if a := s.login(t, name, password); a.Status != http.StatusOK {
			t.Errorf("login as %q: %d %s", name, a.Status, a.Body)
		}
	}
}

func TestLoginCarriesTheRole(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	for _, role := range []string{token.RoleUser, token.RoleCurator, token.RoleAdmin} {
		s.exec(t, s.admin, `UPDATE auth.users SET role = $1`, role)
		if got := claimsOf(t, s.signIn(t)).claims["role"]; got != role {
			t.Errorf("role %v, want %s", got, role)
		}
	}
}

func TestLoginRefusesWithOneText(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	s.exec(t, s.admin, `INSERT INTO auth.users (username, email, password_hash) VALUES ('voter', 'voter@example.com', '!')`)
	for name, in := range map[string][2]string{
		"wrong password":            {"Crane", "eight paper cranes"},
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
			want := problemOf(http.StatusUnauthorized, loginPath, "the name or the password is wrong")
			if diff := cmp.Diff(read[problem](t, a), want); diff != "" {
				t.Errorf("problem (-got +want):\n%s", diff)
			}
		})
	}
}

func TestLoginRefusesBytesThatBcryptWouldNotRead(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	full := strings.Repeat("p", 72)
	s.register(t, "full", "full@example.com", full)
	if a := s.login(t, "full", full); a.Status != http.StatusOK {
		t.Errorf("72 bytes: %d %s", a.Status, a.Body)
	}
	if a := s.login(t, "full", full+"q"); a.Status != http.StatusUnauthorized {
		t.Errorf("the same and one more: %d %s", a.Status, a.Body)
	}
}

func TestLoginNeedsBoth(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	for name, body := range map[string]string{
		"neither": `{}`, "no password": `{"username":"crane"}`, "no username": `{"password":"x"}`,
		"both empty": `{"username":"","password":""}`, "null": `null`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := s.request(t, http.MethodPost, loginPath, body)
			want := problemOf(http.StatusBadRequest, loginPath, "username and password are needed")
			if diff := cmp.Diff(read[problem](t, a), want); diff != "" {
				t.Errorf("problem (-got +want):\n%s", diff)
			}
		})
	}
}

// TestLoginCostTellsNothing is not parallel: it compares times. A refusal that
// skipped the hash would take a tenth of the others' time. A busy machine can
// bend one comparison, so the test fails only if five in a row are bent.
func TestLoginCostTellsNothing(t *testing.T) {
	s := start(t, setup{hasher: account.NewHasher(7, 2, 8)})
	s.person(t)
	s.exec(t, s.admin, `INSERT INTO auth.users (username, email, password_hash) VALUES ('voter', 'voter@example.com', '!')`)
	var ratios map[string]float64
	for range 5 {
		ratios = s.costs(t, "Crane", "nobody", "voter", "Crane\x00")
		if !slices.ContainsFunc(slices.Collect(maps.Values(ratios)), func(r float64) bool { return r < 0.5 || r > 2 }) {
			return
		}
	}
	t.Errorf("the time to refuse each, as a part of that to refuse a person's wrong password: %v", ratios)
}

// costs is the median time of refusing each name, as a part of the first one's.
func (s *service) costs(t *testing.T, names ...string) map[string]float64 {
	t.Helper()
	times := map[string][]time.Duration{}
	for range 11 {
		for _, name := range names { // in turn, so that a busy machine delays all alike
			begin := time.Now()
			if a := s.login(t, name, "eight paper cranes"); a.Status != http.StatusUnauthorized {
				t.Fatalf("login as %q: %d %s", name, a.Status, a.Body)
			}
			times[name] = append(times[name], time.Since(begin))
		}
	}
	ratios := map[string]float64{}
	for name := range times {
		ratios[name] = float64(median(times[name])) / float64(median(times[names[0]]))
	}
	return ratios
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func TestLogNamesPeopleByIDOnly(t *testing.T) {
	t.Parallel()
	s := start(t, setup{})
	s.person(t)
	raw := s.signIn(t)
	s.login(t, "crane@example.com", "eight paper cranes")
	s.login(t, "nobody@example.com", "eight paper cranes")
	s.register(t, "other", "crane@example.com", password)
	s.get(t, "/api/auth/status", "Authorization", "Bearer "+raw)
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
		if !strings.Contains(logged, event) {
			t.Errorf("%s is not in the log:\n%s", event, logged)
		}
	}
}

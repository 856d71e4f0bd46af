package oidc

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"craftista/auth/internal/session"
	"craftista/shared/fault"
	"craftista/shared/token"
)

// requestedAt is the parameter in which the consent page gets the time of the
// request, in Unix seconds.
const requestedAt = "requested_at"

// decisionTime is how long a person may take to sign in for a request and decide.
const decisionTime = 10 * time.Minute

// Request is an authorization request that follows all rules.
type Request struct {
	Client      Client
	RedirectURI string
	Scope       string
	Silent      bool // prompt=none: the person may be asked nothing
	params      url.Values
	maxAge      time.Duration // of the sign-in; negative is any
}

// Check reads the parameters of an authorization request. It checks:
//   - that each comes once and is text (RFC 6749 section 3.1)
//   - client_id, and redirect_uri character for character (RFC 9700 section 2.1),
//     but for the port on this machine; while one of them is wrong nobody is
//     redirected (RFC 6749 section 4.1.2.1)
//   - response_type code, and response_mode query if any
//   - PKCE with S256, of 256 bits; plain and none are refused (RFC 9700 section
//     2.1.1, RFC 7636 section 4.3)
//   - that scope is within what the client is registered for (RFC 6749 section 3.3);
//     words that mean nothing here are ignored (OpenID Connect Core 1.0 section 3.1.2.1)
//   - prompt, of which none stands alone, and max_age (OpenID Connect Core 1.0
//     section 3.1.2.1)
//   - that there is no request object and no registration (sections 6 and 7.2.1)
//
// Errors are a BadRequest fault, to be shown to the person only, or *Error, which the
// browser takes to the client.
func (p *Provider) Check(ctx context.Context, q url.Values) (Request, error) {
	var r Request
	if len(q["client_id"]) != 1 || len(q["redirect_uri"]) != 1 || check(url.Values{"": {q.Get("client_id")}}) != nil {
		return r, fault.New(fault.BadRequest, "client_id and redirect_uri are needed, once each")
	}
	client, err := p.client(ctx, q.Get("client_id"))
	if err != nil {
		return r, err
	}
	if !client.redirects(q.Get("redirect_uri")) {
		return r, fault.New(fault.BadRequest, "the redirect_uri is not one of the application's")
	}
	r = Request{Client: client, RedirectURI: q.Get("redirect_uri"), params: q, maxAge: -1}
	if err := r.read(q); err != nil {
		return r, p.refused(r, err)
	}
	return r, nil
}

// client is the one with that id; an unknown one is a BadRequest fault.
func (p *Provider) client(ctx context.Context, id string) (Client, error) {
	c, err := p.clients.Client(ctx, id)
	if fault.KindOf(err) == fault.NotFound {
		return c, fault.New(fault.BadRequest, "the application is not known here").Because(err)
	}
	return c, err
}

func (r *Request) read(q url.Values) *Error {
	if err := check(q); err != nil {
		return err
	}
	challenge, err := base64.RawURLEncoding.Strict().DecodeString(q.Get("code_challenge"))
	foreign := func(scope string) bool { return !slices.Contains(Scopes(), scope) }
	known := slices.DeleteFunc(strings.Fields(q.Get("scope")), foreign)
	scope, within := scopesOf(strings.Join(known, " "), r.Client.Scopes)
	r.Scope = scope
	switch {
	case q.Has("request"):
		return refuse("request_not_supported", "there are no request objects here")
	case q.Has("request_uri"):
		return refuse("request_uri_not_supported", "there are no request objects here")
	case q.Has("registration"):
		return refuse("registration_not_supported", "applications are registered beforehand")
	case q.Get("response_type") == "":
		return refuse("invalid_request", "response_type is needed")
	case q.Get("response_type") != "code":
		return refuse("unsupported_response_type", "response_type must be code")
	case q.Has("response_mode") && q.Get("response_mode") != "query":
		return refuse("invalid_request", "response_mode must be query")
	case q.Get("code_challenge_method") != "S256":
		return refuse("invalid_request", "PKCE is needed, with code_challenge_method S256")
	case err != nil || len(challenge) != 32 || len(q.Get("code_challenge")) != 43:
		return refuse("invalid_request", "code_challenge is not a SHA-256 in base64url")
	case !within:
		return refuse("invalid_scope", "the application may not ask for this scope")
	}
	return r.readPrompt(q)
}

func (r *Request) readPrompt(q url.Values) *Error {
	if text := q.Get("max_age"); text != "" {
		seconds, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return refuse("invalid_request", "max_age must be a number of seconds")
		}
		r.maxAge = time.Duration(seconds) * time.Second
	}
	prompts := strings.Fields(q.Get("prompt"))
	for _, prompt := range prompts {
		switch prompt {
		case "none":
			if r.Silent = len(prompts) == 1; !r.Silent {
				return refuse("invalid_request", "prompt must be none or something else, not both")
			}
		case "login", "select_account":
			r.maxAge = 0
		case "consent":
		default:
			return refuse("invalid_request", "prompt must be none, login, select_account or consent")
		}
	}
	return nil
}

// Stamp notes in the parameters of an authorization request that it came just now.
// A sign-in for it is younger, however long the person then takes to decide.
func (p *Provider) Stamp(q url.Values) { q.Set(requestedAt, strconv.FormatInt(p.now().Unix(), 10)) }

// tooOld reports whether the sign-in is older than the client wants it to be at the
// time of its request, or at decisionTime ago if that is later or Stamp noted none.
func (p *Provider) tooOld(r Request, authTime time.Time) bool {
	seconds, _ := strconv.ParseInt(r.params.Get(requestedAt), 10, 64)
	asked, latest := time.Unix(seconds, 0), p.now()
	switch earliest := latest.Add(-decisionTime); {
	case asked.Before(earliest):
		asked = earliest
	case asked.After(latest): // a made-up link, which would ask for a sign-in without end
		asked = latest
	}
	return r.maxAge >= 0 && asked.Sub(authTime) > r.maxAge
}

// Decide does what the person, signed in on the site, decided about the request,
// and returns where to send the browser. Besides what Check does, it checks:
//   - that the sign-in is active: not signed out, revoked or disabled since
//   - that it is as recent as the client wants (max_age and prompt)
//
// One that is older is a Conflict fault: sign in again, then decide.
func (p *Provider) Decide(ctx context.Context, q url.Values, u token.User, approve bool) (string, error) {
	r, err := p.Check(ctx, q)
	if err == nil && !approve {
		err = p.refused(r, refuse("access_denied", "the person said no"))
	}
	if refused, ok := errors.AsType[*Error](err); ok {
		return refused.RedirectTo, nil
	}
	if err != nil {
		return "", err
	}
	authTime, err := p.sessions.AuthTime(ctx, u)
	if err != nil {
		return "", err
	}
	if p.tooOld(r, authTime) {
		const message = "the application wants you to sign in again"
		return "", &fault.Error{Kind: fault.Conflict, Message: message, Code: "login_required"}
	}
	return p.grant(ctx, r, r.code(u, authTime))
}

// DecideSilently returns where to send the browser for a request with prompt=none,
// while u is signed in on the site (OpenID Connect Core 1.0 section 3.1.2.6). Without
// these the client learns login_required:
//   - an active sign-in, as recent as the client wants
//   - that id_token_hint, if there is one, is an ID token about u
//
// And without these consent_required:
//   - that u approved as much for this client in this sign-in, and the client is
//     still signed in by that
//   - a secret of the client or an https redirect URI, since any program can be a
//     public client on its own machine (RFC 8252 section 8.6)
func (p *Provider) DecideSilently(ctx context.Context, r Request, u token.User) (string, error) {
	authTime, err := p.sessions.AuthTime(ctx, u)
	ended := fault.KindOf(err) == fault.Unauthenticated
	if err != nil && !ended {
		return "", err
	}
	if ended || p.tooOld(r, authTime) || !p.hinted(ctx, r, u) {
		return p.refused(r, refuse("login_required", "the person has to sign in")).RedirectTo, nil
	}
	code := r.code(u, authTime)
	approved, err := p.sessions.Approved(ctx, code)
	if err != nil {
		return "", err
	}
	if identified := r.Client.SecretHash != nil || strings.HasPrefix(r.RedirectURI, "https:"); !approved || !identified {
		return p.refused(r, refuse("consent_required", "the person has to be asked")).RedirectTo, nil
	}
	return p.grant(ctx, r, code)
}

// hinted reports whether the request is about the person, or says nothing of whom.
func (p *Provider) hinted(ctx context.Context, r Request, u token.User) bool {
	hint := r.params.Get("id_token_hint")
	if hint == "" {
		return true
	}
	claims, err := p.issuer.ParseIDToken(ctx, hint)
	return err == nil && claims.Subject == strconv.FormatInt(u.ID, 10)
}

// code is what a person of that sign-in grants by the request.
func (r Request) code(u token.User, authTime time.Time) session.Code {
	return session.Code{
		ClientID: r.Client.ID, UserID: u.ID, ApprovedBy: session.ID(u), RedirectURI: r.RedirectURI, Scope: r.Scope,
		Nonce: r.params.Get("nonce"), Challenge: r.params.Get("code_challenge"), AuthTime: authTime,
	}
}

func (p *Provider) grant(ctx context.Context, r Request, c session.Code) (string, error) {
	code, err := p.sessions.IssueCode(ctx, c)
	if err != nil {
		return "", err
	}
	return p.redirect(r, url.Values{"code": {code}}), nil
}

func (p *Provider) refused(r Request, e *Error) *Error {
	e.RedirectTo = p.redirect(r, url.Values{"error": {e.Code}, "error_description": {e.Description}})
	return e
}

// redirect is the redirect URI with the response, the state as it came, and who
// responds (RFC 9207 section 2).
func (p *Provider) redirect(r Request, response url.Values) string {
	response.Set("iss", p.issuer.URL)
	if state := r.params["state"]; len(state) == 1 && state[0] != "" {
		response.Set("state", state[0])
	}
	return withQuery(r.RedirectURI, response)
}

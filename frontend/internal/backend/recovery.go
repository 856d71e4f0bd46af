package backend

import (
	"context"
	"net/http"
	"strconv"

	"craftista/shared/web"
)

// Forgot has a mail with a link sent to the person with that address, if there is one. Throttled and Unavailable, here
// and below, are those of auth; it also is Unavailable where no mail is sent.
func (c Auth) Forgot(ctx context.Context, by Browser, email string) error {
	return c.post(ctx, "/api/auth/password/forgot", by, "", map[string]string{"email": email})
}

// Reset sets the password of the person whose mail brought the token. Invalid lists what is wrong with token and
// new_password.
func (c Auth) Reset(ctx context.Context, token, password string) error {
	body := map[string]string{"token": token, "new_password": password}
	return c.post(ctx, "/api/auth/password/reset", Browser{}, "", body)
}

// ConfirmEmail proves the address that the token was sent to. Invalid means that the token is not good, Conflict that
// somebody else has the address.
func (c Auth) ConfirmEmail(ctx context.Context, token string) error {
	return c.post(ctx, "/api/auth/email/confirm", Browser{}, "", map[string]string{"token": token})
}

// SendVerification has the bearer's address asked for by mail again. Conflict means that it is confirmed.
func (c Auth) SendVerification(ctx context.Context, bearer string) error {
	return c.post(ctx, "/api/auth/email/verification", Browser{}, bearer, nil)
}

// ChangeEmail has a mail with a link sent to the bearer's new address. Invalid lists what is wrong with email and
// password.
func (c Auth) ChangeEmail(ctx context.Context, by Browser, bearer, email, password string) error {
	return c.post(ctx, "/api/auth/email", by, bearer, map[string]string{"email": email, "password": password})
}

// SendReset has the person sent what Forgot sends, on behalf of an admin.
func (c Auth) SendReset(ctx context.Context, bearer string, id int64) error {
	return c.post(ctx, "/api/auth/users/"+strconv.FormatInt(id, 10)+"/reset", Browser{}, bearer, nil)
}

// DeleteMe deletes the bearer's account. Invalid means that the password is not theirs, Conflict that they are the last
// admin.
func (c Auth) DeleteMe(ctx context.Context, by Browser, bearer, password string) error {
	return c.post(ctx, "/api/auth/me/delete", by, bearer, map[string]string{"password": password})
}

// post posts the body, nil for none, on behalf of a browser, whose zero value is none.
func (c Auth) post(ctx context.Context, path string, by Browser, bearer string, body map[string]string) error {
	r := web.Request{Method: http.MethodPost, Path: path, Bearer: bearer, Header: c.onBehalfOf(by)}
	if body != nil {
		r.Body = body
	}
	return c.do(ctx, r)
}

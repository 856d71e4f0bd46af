package token

import "context"

// VerifyAnew is Verify without what is remembered.
func (v *Verifier) VerifyAnew(ctx context.Context, raw string) (User, error) {
	return v.verify(ctx, raw)
}

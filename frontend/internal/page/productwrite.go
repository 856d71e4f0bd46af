package page

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/session"
	"craftista/shared/fault"
)

// write does what somebody who is signed in asked with the draft, once its file is
// in the catalogue. If the file is refused, the draft goes without a picture,
// which the catalogue refuses too: so that one answer has all that is wrong.
func (h adminProducts) write(
	ctx context.Context, who session.Session, input *productInput, do func(backend.Draft) error,
) error {
	switch who.State {
	case session.Unknown:
		return signInUnavailable()
	case session.SignedOut, session.Expired:
		return fault.New(fault.Unauthenticated, "nobody is signed in")
	case session.SignedIn:
	}
	err := h.addFile(ctx, who.Token, input)
	var file *fault.Error
	if err != nil && (!errors.As(err, &file) || file.Kind != fault.Invalid) {
		return err
	}
	draft := input.Draft
	if file == nil {
		return do(draft)
	}
	draft.ImageURL = ""
	var all *fault.Error
	if errors.As(do(draft), &all) && all.Kind == fault.Invalid {
		fields := slices.DeleteFunc(all.Fields, func(f fault.Field) bool { return f.Field == "image_url" })
		return &fault.Error{
			Kind: fault.Invalid, Message: file.Message, Fields: slices.Concat(file.Fields, fields),
		}
	}
	return file
}

// addFile gives the chosen file, if there is one, to the catalogue and makes it
// the draft's picture. A file that cannot be shown is Invalid. What it is the
// bytes tell: browsers only guess by the name.
func (h adminProducts) addFile(ctx context.Context, bearer string, input *productInput) error {
	media := http.DetectContentType(input.file.Body)
	switch {
	case input.file.Body == nil:
		return nil
	case input.file.TooLarge:
		return refuseFile(fmt.Sprintf("is over %d MiB", backend.MaxPhoto>>20))
	case len(input.file.Body) == 0:
		return refuseFile("is empty")
	case strings.HasPrefix(media, "text/") && len(input.file.Body) > backend.MaxPicture:
		return refuseFile(fmt.Sprintf("is over %d MiB", backend.MaxPicture>>20))
	case strings.HasPrefix(media, "text/"):
		media = backend.SVG
	case isHEIC(input.file.Body):
		return refuseFile("is a HEIC photo, which browsers cannot show. Save it as JPEG, " +
			"or set the phone's camera to its most compatible format, and choose it again")
	case !slices.Contains([]string{backend.JPEG, backend.PNG, backend.WebP, backend.GIF}, media):
		return refuseFile("is not a JPEG, PNG, WebP, GIF or SVG")
	}
	imageURL, err := h.catalogue.AddPicture(ctx, bearer, media, input.file.Body)
	if err == nil {
		input.ImageURL = imageURL
	}
	return err
}

// isHEIC reports whether the file is a photo as iPhones store it (ISO/IEC 23008-12):
// they make a JPEG of it only where a form does not take everything.
func isHEIC(body []byte) bool {
	const brandEnds = 12
	return len(body) >= brandEnds && string(body[4:8]) == "ftyp" &&
		slices.Contains([]string{"heic", "heix", "heim", "heis", "hevc", "mif1"}, string(body[8:brandEnds]))
}

func refuseFile(predicate string) error {
	return &fault.Error{
		Kind: fault.Invalid, Message: "the picture breaks a rule",
		Fields: []fault.Field{{Field: "image", Message: predicate}},
	}
}

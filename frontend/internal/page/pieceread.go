package page

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"craftista/frontend/internal/backend"
	"craftista/shared/fault"
	"craftista/shared/web"
)

// maxPieceForm is how much of a posted piece is read at all, in bytes. It is far
// above MaxPicture, so that who chose a large photograph is told so at the field
// and keeps what they typed, where a shorter patience would cut the connection.
const maxPieceForm = 16 << 20

// pieceTyped is what a curator posted: the draft, its folds as they were typed,
// the ETag of what it was written over or the key of a new piece, and the file,
// which is nil if none was chosen.
type pieceTyped struct {
	backend.Draft

	folds, tag, key string
	file            []byte
	tooLarge        bool // the file is over MaxPicture and not kept
}

// readPiece reads a posted piece as it streams in. It checks the media type
// (415); that all texts together are no larger than a form may be, and the whole
// no larger than maxPieceForm (413); that each part has one of the names and
// comes once at most, so that there cannot be many, and that texts are UTF-8
// (400). Of the file it keeps at most MaxPicture. Line ends become line feeds,
// blanks around texts go: the catalogue refuses both.
func readPiece(r *http.Request) (pieceTyped, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, maxPieceForm)
	parts, err := r.MultipartReader()
	if err != nil {
		return pieceTyped{}, fault.New(fault.Unsupported, "this address takes a form").Because(err)
	}
	typed, values, left := pieceTyped{}, url.Values{}, web.MaxBody
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return pieceTyped{}, unreadable(err)
		}
		name := part.FormName()
		if values.Has(name) || !slices.Contains([]string{"tag", "key", "name", "description", "difficulty", "folds", "paper", "picture", "file"}, name) {
			return pieceTyped{}, fault.New(fault.BadRequest, "the form has a field that does not belong there")
		}
		value := ""
		if name == "file" {
			err = typed.readFile(part)
		} else {
			value, err = readText(part, left)
		}
		if err != nil {
			return pieceTyped{}, err
		}
		left -= len(value)
		values.Set(name, value)
	}
	typed.fill(values)
	return typed, nil
}

// fill takes the texts of the form. Folds that are no number become 0, which the
// catalogue refuses together with all else that is wrong.
func (p *pieceTyped) fill(values url.Values) {
	text := func(name string) string {
		return strings.TrimSpace(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(values.Get(name)))
	}
	p.tag, p.key, p.folds = values.Get("tag"), values.Get("key"), text("folds")
	folds, err := strconv.Atoi(p.folds)
	if err != nil {
		folds = 0
	}
	p.Draft = backend.Draft{
		Name: text("name"), Description: text("description"), ImageURL: values.Get("picture"),
		Difficulty: values.Get("difficulty"), Folds: folds, Paper: text("paper"),
	}
}

func (p *pieceTyped) readFile(part *multipart.Part) error {
	body, err := io.ReadAll(io.LimitReader(part, backend.MaxPicture+1))
	if err != nil {
		return unreadable(err)
	}
	if p.tooLarge = len(body) > backend.MaxPicture; p.tooLarge {
		body = nil
		if _, err := io.Copy(io.Discard, part); err != nil {
			return unreadable(err)
		}
	}
	if part.FileName() != "" { // else the browser says that none was chosen
		p.file = append([]byte{}, body...)
	}
	return nil
}

func readText(part *multipart.Part, most int) (string, error) {
	body, err := io.ReadAll(io.LimitReader(part, int64(most)+1))
	switch {
	case err != nil:
		return "", unreadable(err)
	case len(body) > most:
		return "", fault.New(fault.TooLarge, "the form's texts are over %d bytes", web.MaxBody)
	case !utf8.Valid(body):
		return "", fault.New(fault.BadRequest, "the form is not UTF-8")
	}
	return string(body), nil
}

// unreadable says why the rest of a form did not come.
func unreadable(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return fault.New(fault.TooLarge, "the form is over %d bytes", tooLarge.Limit)
	}
	return fault.New(fault.BadRequest, "the form cannot be read").Because(err)
}

// checkKey refuses what is no key of a new piece.
func checkKey(key string) error {
	if len(key) > 100 || !plainName(key) {
		return fault.New(fault.BadRequest, "the form does not say which piece it is")
	}
	return nil
}

// checkTag refuses what is no ETag. * above all, which would undo any edit.
func checkTag(tag string) error {
	if len(tag) < 3 || len(tag) > 100 || tag[0] != '"' || tag[len(tag)-1] != '"' || !plain(tag) {
		return fault.New(fault.BadRequest, "the form does not say what it is meant for")
	}
	return nil
}

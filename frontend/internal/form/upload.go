package form

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"unicode/utf8"

	"craftista/shared/fault"
	"craftista/shared/web"
)

// MaxRead is how much of a form with a file is read at all, in bytes. It is far
// above what a file may have, so that who chose a large photograph is told so at
// the field and keeps what they typed, where a smaller limit would cut the
// connection.
const MaxRead = 32 << 20

// File is the file of a form. Body is nil where none was chosen.
type File struct {
	Body     []byte
	TooLarge bool // it is over the limit; Body is empty then
}

// ReadWithFile reads a posted form as it streams in, with texts of the names and a
// file named "file" of at most so many bytes. It checks the media type (415); that
// all texts together are no larger than a form may be, and the whole no larger
// than MaxRead (413); that each part comes once at most, and that texts are UTF-8
// (400).
func ReadWithFile(r *http.Request, maxFile int, names ...string) (url.Values, File, error) {
	r.Body = http.MaxBytesReader(nil, r.Body, MaxRead)
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, File{}, notAForm().Because(err)
	}
	values, file, left := url.Values{}, File{}, web.MaxBody
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return values, file, nil
		}
		if err != nil {
			return nil, File{}, unreadable(err)
		}
		name, text := part.FormName(), ""
		switch {
		case values.Has(name) || name != "file" && !slices.Contains(names, name):
			err = unexpected()
		case name == "file":
			file, err = readFile(part, maxFile)
		default:
			text, err = readText(part, left)
		}
		if err != nil {
			return nil, File{}, err
		}
		left -= len(text)
		values.Set(name, text)
	}
}

func readFile(part *multipart.Part, maxFile int) (File, error) {
	body, err := io.ReadAll(io.LimitReader(part, int64(maxFile)+1))
	if err != nil {
		return File{}, unreadable(err)
	}
	file := File{Body: body, TooLarge: len(body) > maxFile}
	if file.TooLarge {
		file.Body = []byte{}
		if _, err := io.Copy(io.Discard, part); err != nil {
			return File{}, unreadable(err)
		}
	}
	if part.FileName() == "" { // by which the browser says that none was chosen
		file.Body = nil
	}
	return file, nil
}

func readText(part *multipart.Part, limit int) (string, error) {
	body, err := io.ReadAll(io.LimitReader(part, int64(limit)+1))
	switch {
	case err != nil:
		return "", unreadable(err)
	case len(body) > limit:
		return "", fault.New(fault.TooLarge, "the form's texts are over %d bytes", web.MaxBody)
	case !utf8.Valid(body):
		return "", fault.New(fault.BadRequest, "the form is not UTF-8")
	}
	return string(body), nil
}

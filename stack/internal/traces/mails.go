package traces

import (
	"html/template"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"craftista/shared/mailbox"
)

// MailHandler shows the mails of the box: /mails lists them with their text, and /mails/{id} is one as HTML, which
// runs and loads nothing.
func MailHandler(box *mailbox.Box) http.Handler {
	list := template.Must(template.ParseFS(files, "mails.html"))
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mails", func(w http.ResponseWriter, _ *http.Request) {
		var views []mailView
		for _, m := range box.All() {
			views = append(views, newMailView(m))
		}
		render(w, list, http.StatusOK, views)
	})
	mux.HandleFunc("GET /mails/{id}", func(w http.ResponseWriter, r *http.Request) {
		id, _ := strconv.Atoi(r.PathValue("id")) // no mail has the id 0
		m, ok := box.Find(id)
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy",
			"sandbox allow-top-navigation-by-user-activation; default-src 'none'; style-src 'unsafe-inline'")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		_, _ = w.Write([]byte(m.HTML)) // an error means that the caller hung up
	})
	mux.Handle("GET /page.css", http.FileServerFS(files))
	return mux
}

type mailView struct {
	ID              int
	Subject, To, At string
	Parts           []mailPart
}

// mailPart is a piece of a mail's text; URL is the text itself where it is one.
type mailPart struct{ Text, URL string }

var address = regexp.MustCompile(`https?://\S+`)

func newMailView(m mailbox.Mail) mailView {
	v := mailView{ID: m.ID, Subject: m.Subject, To: strings.Join(m.To, ", "), At: m.At.Format(time.TimeOnly)}
	from := 0
	for _, at := range address.FindAllStringIndex(m.Text, -1) {
		url := m.Text[at[0]:at[1]]
		v.Parts = append(v.Parts, mailPart{Text: m.Text[from:at[0]]}, mailPart{Text: url, URL: url})
		from = at[1]
	}
	v.Parts = append(v.Parts, mailPart{Text: m.Text[from:]})
	return v
}

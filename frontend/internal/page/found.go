package page

import (
	"cmp"
	"net/http"
	"net/url"
	"strconv"

	"craftista/frontend/internal/view"
)

// found answers a search in the gallery by htmx: the grid, and what stands above
// it. The page gets the address that gives the same by itself; the first search
// is a step that Back undoes, and to type on is none.
func (h gallery) found(w http.ResponseWriter, r *http.Request, at place) error {
	batch, front, err := h.content(r.Context(), at, 0)
	if err != nil {
		return err
	}
	update := "HX-Replace-Url"
	if before, ok := currentPlace(r); ok && before.query == "" && at.query != "" {
		update = "HX-Push-Url"
	}
	w.Header().Set(update, at.url())
	grid := gridAt(at)
	grid.Batch, grid.Heading = batch, at.foundText(batch)
	title := siteTitle
	if at.title() != "" {
		title = titled(at.title())
	}
	return send(w, r, http.StatusOK, view.FoundFragment(grid, front, title, grid.Heading+"."))
}

// more answers "more pieces" by htmx with the next ones. The page's address
// then is one that shows as many at once, so that reload and Back do.
func (h gallery) more(w http.ResponseWriter, r *http.Request, at place) error {
	before, err := strconv.Atoi(r.URL.Query().Get("before"))
	if err != nil || before < 0 || before > 1_000_000 {
		before = batchSize
	}
	batch, _, err := h.content(r.Context(), at, before)
	if err != nil {
		return err
	}
	if here, ok := currentPlace(r); ok {
		here.size = min(before+len(batch.Cards), maxSize)
		w.Header().Set("HX-Replace-Url", here.url())
	}
	said := plural(int64(len(batch.Cards)), "more piece") + "."
	if batch.MoreURL == "" {
		said += " No more pieces."
	}
	return send(w, r, http.StatusOK, view.BatchFragment(batch, said))
}

// currentPlace is the page of the gallery that htmx asks from.
func currentPlace(r *http.Request) (place, bool) {
	u, err := url.Parse(r.Header.Get("HX-Current-URL"))
	if err != nil || u.Host != r.Host || cmp.Or(u.Path, "/") != "/" {
		return place{}, false
	}
	return placeOf(u.Query()), true
}

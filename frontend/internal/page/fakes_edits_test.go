package page_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

func (w *website) tag(id string) string {
	return fmt.Sprintf(`"%d-%v-a"`, w.versions[id], w.find(id)["votes"])
}

// serveEdits is the catalogue's part for curators. It takes a token for a
// curator's, and has only those of the rules that tests break.
func (w *website) serveEdits() {
	added := map[string]map[string]any{} // products by the key
	w.product.onBearer("POST /api/products", func(c *call) any {
		if broken := c.brokenRules(); broken != nil {
			return refuse(http.StatusUnprocessableEntity, "rules", broken...)
		}
		key := c.Header.Get("Idempotency-Key")
		switch before := added[key]; {
		case before == nil:
			c.in["id"], c.in["votes"] = len(w.products)+1, 0
			w.products, added[key] = append(w.products, c.in), c.in
		case before["name"] != c.in["name"]:
			return refuse(http.StatusUnprocessableEntity, "rules", "Idempotency-Key", "was used for another piece")
		}
		return reply{http.StatusCreated, added[key]}
	})
	w.product.onBearer("PUT /api/products/{id}", w.ifMatch(func(c *call, p map[string]any) any {
		if broken := c.brokenRules(); broken != nil {
			return refuse(http.StatusUnprocessableEntity, "rules", broken...)
		}
		maps.Copy(p, c.in)
		w.versions[c.PathValue("id")]++
		return p
	}))
	w.product.onBearer("DELETE /api/products/{id}", w.ifMatch(func(_ *call, p map[string]any) any {
		p["id"] = -p["id"].(int)
		return nil
	}))
	w.product.onBearer("POST /api/images", func(c *call) any {
		w.uploads = append(w.uploads, c.Header.Get("Content-Type"))
		if strings.Contains(string(c.body), "<text") {
			return refuse(http.StatusUnprocessableEntity, "rules", "image", "contains text. Go", "image", "contains a <b>")
		}
		if strings.Contains(string(c.body), "<script") {
			return refuse(http.StatusUnprocessableEntity, "rules", "image", "must not have a <script> (line 1)")
		}
		sum := sha256.Sum256(c.body)
		return reply{http.StatusCreated,
			map[string]string{"image_url": "/api/images/" + hex.EncodeToString(sum[:8]) + ".svg"}}
	})
}

// ifMatch lets act change the product that the call is for, as long as it is what the
// call says.
func (w *website) ifMatch(act func(c *call, product map[string]any) any) func(*call) any {
	return func(c *call) any {
		p, match := w.find(c.PathValue("id")), c.Header.Get("If-Match")
		switch {
		case p == nil:
			return refuse(http.StatusNotFound, "no such origami")
		case match == "":
			return refuse(http.StatusPreconditionRequired, "send If-Match")
		case match != w.tag(c.PathValue("id")):
			return refuse(http.StatusPreconditionFailed, "somebody edited it")
		}
		return act(c, p)
	}
}

// brokenRules are pairs of fields and messages.
func (c *call) brokenRules() []string {
	text := func(field string) string { return c.in[field].(string) }
	image, folds := text("image_url"), c.in["folds"].(float64)
	var broken []string
	for _, rule := range []struct {
		holds          bool
		field, message string
	}{
		{text("name") != "" && len(text("name")) <= 100, "name", "must have 1 to 100 characters"},
		{text("description") != "" && len(text("description")) <= 2000, "description",
			"must have 1 to 2000 characters"},
		{text("difficulty") != "", "difficulty", "must be easy, intermediate or advanced"},
		{folds >= 1 && folds <= 1000, "folds", "must be between 1 and 1000"},
		{strings.HasPrefix(image, "/static/origami/") || strings.HasPrefix(image, "/api/images/"), "image_url",
			"must be what POST /api/images gave"},
		{len(text("maker")) <= 100, "maker", "must have 0 to 100 characters"},
		{text("instructions_url") == "" || strings.HasPrefix(text("instructions_url"), "https://"), "instructions_url",
			"must be an address that begins with https://"},
		{text("paper") != "odd", "moon", "is not full"},
	} {
		if !rule.holds {
			broken = append(broken, rule.field, rule.message)
		}
	}
	return broken
}

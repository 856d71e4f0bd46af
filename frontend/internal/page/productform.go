package page

import (
	"cmp"
	"crypto/rand"
	"slices"
	"strconv"
	"strings"

	"craftista/frontend/internal/backend"
	"craftista/frontend/internal/view"
	"craftista/frontend/static"
	"craftista/shared/fault"
)

// drawings begins the image_url of the site's own art.
const drawings = static.Prefix + "origami/"

// newForm is /admin/pieces/new's form filled with what was typed. Its key,
// by which what it adds is added once, stays when it comes back.
func (h adminProducts) newForm(input productInput) view.ProductForm {
	form := h.filled(input)
	form.Key = cmp.Or(input.key, rand.Text())
	form.Heading, form.Action, form.Submit = "New piece", productListPath+"/new", "Add piece"
	return form
}

// editForm is /admin/pieces/{id}/edit's.
func (h adminProducts) editForm(id int64, input productInput) view.ProductForm {
	form, at := h.filled(input), productListPath+"/"+decimal(id)
	form.Heading, form.Action, form.Submit, form.Tag = "Edit a piece", at+"/edit", "Save", input.tag
	form.DeleteURL = at + "/delete"
	return form
}

func (h adminProducts) filled(input productInput) view.ProductForm {
	form := view.ProductForm{
		BackURL: productListPath, MaxPicture: strconv.Itoa(backend.MaxPhoto), Script: h.assets.URL("js/upload.js"),
		Levels: levels(input.Difficulty), Drawings: h.drawings(input.ImageURL),
	}
	form.Name.Field = view.Field{Name: "name", Label: "Name", Value: input.Name}
	form.Description.Field = view.Field{
		Name: "description", Label: "Description", Value: input.Description,
		Hint: "At most 2000 characters. Plain text; HTML is not interpreted.",
	}
	form.Difficulty.Field = view.Field{Name: "difficulty", Label: "Difficulty"}
	form.Folds.Field = view.Field{Name: "folds", Label: "Folds", Value: input.folds, Hint: "How many, 1 to 1000"}
	form.Paper.Field = view.Field{Name: "paper", Label: "Paper", Value: input.Paper, Hint: "Such as 15 cm square"}
	form.Maker = view.ProductField{Optional: true, Field: view.Field{
		Name: "maker", Label: "Maker", Value: input.Maker,
		Hint: "The designer, or “Traditional” if unknown. Optional.",
	}}
	form.Instructions = view.ProductField{Optional: true, Field: view.Field{
		Name: "instructions_url", Label: "Folding instructions", Value: input.InstructionsURL, Type: "url",
		Hint: "A link that begins with https://. Optional.",
	}}
	form.Picture.Field = view.Field{
		Name: "file", Label: "Upload your own", Type: "file",
		Hint: "A photo of at most 12 MiB (JPEG, PNG, WebP, GIF), or an SVG of at most 1 MiB. " +
			"It is used instead of a drawing. Where a photo was taken is not kept.",
	}
	return form
}

func levels(current string) []view.Option {
	options := []view.Option{{Label: "Choose one", Current: !slices.Contains(difficulties(), current)}}
	for _, value := range difficulties() {
		options = append(options, view.Option{Value: value, Label: level(value).Label, Current: value == current})
	}
	return options
}

// drawings are the site's own, after the picture that the product has if that is
// another one.
func (h adminProducts) drawings(current string) []view.Drawing {
	var all []view.Drawing
	for i, name := range static.DrawingNames() {
		value := drawings + name + ".svg"
		all = append(all, view.Drawing{
			ID: "drawing-" + name, Value: value, Label: h.drawingLabel(value), Current: value == current,
			Art: h.artOf(value, strconv.Itoa(i%tints)),
		})
	}
	if strings.HasPrefix(current, "/") && !slices.ContainsFunc(all, func(d view.Drawing) bool { return d.Current }) {
		all = slices.Insert(all, 0, view.Drawing{
			ID: "drawing-own", Value: current, Label: h.drawingLabel(current), Current: true,
			Art: h.artOf(current, "0"),
		})
	}
	return all
}

// drawingLabel names a picture: Paper plane.
func (h adminProducts) drawingLabel(imageURL string) string {
	name := strings.TrimSuffix(strings.TrimPrefix(imageURL, drawings), ".svg")
	if h.assets.URL("origami/"+name+".svg") == "" {
		return "An upload"
	}
	return strings.ToUpper(name[:1]) + strings.ReplaceAll(name[1:], "-", " ")
}

// markProduct is markInvalid for the form of a product. Where no field is to be
// mended, the cursor goes to what is said above them.
func markProduct(form *view.ProductForm, broken []fault.Field) {
	fields := []*view.Field{
		&form.Name.Field, &form.Description.Field, &form.Difficulty.Field,
		&form.Folds.Field, &form.Paper.Field, &form.Maker.Field, &form.Instructions.Field, &form.Picture.Field,
	}
	rules, again := slices.Clone(broken), false
	var reasons []string
	for i, b := range broken {
		switch b.Field {
		case "image_url":
			rules[i].Field, form.Picture.Error = form.Picture.Name, "Choose one of the drawings, or upload a picture."
		case "image":
			reasons = append(reasons, "The file "+b.Message+".")
			rules[i].Field, form.Picture.Error = form.Picture.Name, strings.Join(reasons, "\n")
		case backend.KeyField: // somebody went back to the form, and changed it
			again = true
		}
	}
	form.Problem = markInvalid(fields, rules)
	if again {
		form.Problem = "This form was sent before with other content, which was added. Send it again to add this piece too."
		form.Key, form.Submit = rand.Text(), "Add anyway"
	}
	form.ProblemFocus = !slices.ContainsFunc(fields, func(f *view.Field) bool { return f.Focus })
}

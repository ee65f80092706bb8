package console

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/base64"
	"html/template"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/i18n"
	"hufu/internal/web/ui"
)

const (
	// maxCarried is how large a checked file may be, packed, to travel in the page to its
	// import, and maxResult how large its result file: what is larger is for the command line.
	maxCarried = 2 << 20
	maxResult  = 2 << 20
	// carriedForm is how large a form with a carried file may be.
	carriedForm = 2 * maxCarried
)

type catalogueView struct {
	ui.Page
	Error    string
	Done     bool // imported, not only checked
	Result   *flow.CatalogueImport
	Parts    []ui.Part
	Rows     ui.Table
	Problems []problemRow
	More     int
	Carried  string
	File     string
	// Download is the result file in an address of its own, under a name.
	Download     template.URL
	DownloadName string
	Formats      []ui.Option
	Offers       string // slugs to export
	TooLarge     bool   // to be imported from the page
}

// problemRow is a problem of a file with its remedy.
type problemRow struct {
	Row, Column     int64
	Where           string
	Text, Do, Value string
}

func cataloguePage(_ *Console, v *visit) error {
	return v.cataloguePage(http.StatusOK, &catalogueView{})
}

func (v *visit) cataloguePage(status int, d *catalogueView) error {
	v.page(&d.Page, "offers", v.t("console.catalogue_file"))
	for _, format := range flow.CatalogueFormats {
		d.Formats = append(d.Formats, ui.Option{Value: format, Label: v.t("console.catalogue.format." + format)})
	}
	d.Crumbs = []ui.Crumb{{Label: v.t("ui.nav.offers"), Href: "/console/offers"}, {Label: d.Title}}
	return v.render(status, "catalogue_file", d)
}

// upload reads a posted file after its fields, and checks the form's proof before the file.
func (v *visit) upload(field string, take func(part *multipart.Part) error) error {
	r, err := v.r.MultipartReader()
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "http.form")
	}
	for {
		part, err := r.NextPart()
		if err == io.EOF {
			return fault.New(fault.Invalid, "console.no_file")
		}
		if err != nil {
			return fault.Wrap(err, fault.Invalid, "http.form")
		}
		if part.FormName() == field && part.FileName() != "" {
			if _, err := v.prove(v.f("csrf")); err != nil { // of an upload there is no third answer
				return err
			}
			return take(part)
		}
		text, err := io.ReadAll(io.LimitReader(part, maxForm+1))
		if err != nil || len(text) > maxForm || len(v.form) > 100 {
			return fault.New(fault.Invalid, "http.form")
		}
		v.form.Add(part.FormName(), string(text))
		if !readable(v.form) {
			return fault.New(fault.Invalid, "http.form")
		}
		if part.FormName() == field { // chosen none
			return fault.New(fault.Invalid, "console.no_file")
		}
	}
}

// checkCatalogue finds out what a file would do.
func checkCatalogue(c *Console, v *visit) error {
	d := &catalogueView{}
	var data []byte
	err := v.upload("file", func(part *multipart.Part) error {
		d.File = filepath.Base(part.FileName())
		var err error
		data, err = io.ReadAll(io.LimitReader(part, catalogue.MaxFile+1))
		return err
	})
	if err != nil {
		if fault.CodeOf(err) == "console.no_file" {
			d.Error = v.lang.Fault(fault.From(err))
			return v.cataloguePage(http.StatusBadRequest, d)
		}
		return err
	}
	return v.runCatalogue(c, d, data, true)
}

// exportCatalogue gives the catalogue, or some offers of it, as a file.
func exportCatalogue(c *Console, v *visit) error {
	q := v.r.URL.Query()
	opt := flow.CatalogueExport{Format: cmp.Or(single(q, "format"), "xlsx"), Lang: v.lang}
	opt.Offers = strings.FieldsFunc(single(q, "offers"), func(r rune) bool { return strings.ContainsRune(",，; \t\r\n", r) })
	file, err := c.Flows.ExportCatalogue(v.r.Context(), opt)
	if code := fault.CodeOf(err); code == "catalogue.no_offer" || code == "catalogue.format" {
		return v.cataloguePage(http.StatusBadRequest, &catalogueView{Error: v.lang.Fault(fault.From(err)), Offers: single(q, "offers")})
	}
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", file.Type)
	h.Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	_, err = v.w.Write(file.Data)
	return err
}

// importCatalogue imports a file that was checked.
func importCatalogue(c *Console, v *visit) error {
	packed, err := base64.StdEncoding.DecodeString(v.f("data"))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "http.form")
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "http.form")
	}
	data, err := io.ReadAll(io.LimitReader(z, catalogue.MaxFile+1))
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "http.form")
	}
	return v.runCatalogue(c, &catalogueView{File: clip(v.f("file"), 120)}, data, false)
}

func (v *visit) runCatalogue(c *Console, d *catalogueView, data []byte, dry bool) error {
	done, err := c.Flows.ImportCatalogue(v.r.Context(), data, flow.ImportOptions{DryRun: dry, By: v.by(), Origin: v.origin().Address, Source: d.File})
	if err != nil && fault.CodeOf(err) != "catalogue.file" {
		return err
	}
	d.Result, d.Done, d.More = &done, !dry && err == nil, done.More
	if err := d.offerResult(v, done); err != nil {
		return err
	}
	for _, p := range done.Problems {
		if len(d.Problems) < 100 {
			d.Problems = append(d.Problems, problemRow{Row: int64(p.Line), Column: int64(p.Column), Where: whereOf(p), Text: p.Cause(v.lang), Do: p.Remedy(v.lang)})
		} else {
			d.More++
		}
	}
	for _, change := range []catalogue.Change{catalogue.Created, catalogue.Changed, catalogue.Unchanged, catalogue.Refused} {
		d.Parts = append(d.Parts, ui.Part{Label: v.t("console.change." + string(change)), Value: int64(done.Count(change))})
	}
	d.Rows = ui.Table{Caption: v.t("console.catalogue.rows"), Columns: []ui.Column{{Label: v.t("console.catalogue.item")}, {Label: v.t("console.catalogue.change")}, {Label: v.t("console.catalogue.fields")}, {Label: v.t("console.line"), End: true}}}
	for i, r := range done.Rows {
		if r.Change == catalogue.Unchanged || i >= 500 {
			continue
		}
		held := ""
		if r.Held {
			held = v.t("file.result.held")
		}
		d.Rows.Rows = append(d.Rows.Rows, ui.Row{Cells: []ui.Cell{ui.Text(r.Name, v.t("console.catalogue.kind."+r.Kind)), ui.State(changeTones[r.Change], v.t("console.change."+string(r.Change))), ui.Text(fieldsIn(v.lang, r.Fields), held), ui.Text(strconv.Itoa(r.Line), "")}})
	}
	d.Rows.Empty = ui.Empty{Art: "ticket", Title: v.t("console.catalogue.same"), Text: v.t("console.catalogue.same.text")}
	if dry && len(done.Problems) == 0 && done.Count(catalogue.Created)+done.Count(catalogue.Changed) > 0 {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(data) // a buffer takes everything
		_ = z.Close()
		if d.TooLarge = b.Len() > maxCarried; !d.TooLarge {
			d.Carried = base64.StdEncoding.EncodeToString(b.Bytes())
		}
	}
	status := http.StatusOK
	if len(done.Problems) > 0 && !dry {
		status = http.StatusBadRequest
	}
	return v.cataloguePage(status, d)
}

// fieldsIn says fields of a file in words.
func fieldsIn(lang i18n.Lang, fields []string) string {
	words := make([]string, len(fields))
	for i, f := range fields {
		words[i] = flow.ColumnWords(lang, f)
	}
	return strings.Join(words, ", ")
}

// whereOf is what a problem is about: of tables its cell, as spreadsheets name it, and the
// field, whose column may be missing.
func whereOf(p catalogue.Problem) string {
	if p.Sheet != "" {
		return strings.TrimSpace(catalogue.Ref(p.Sheet, p.Line, p.Column) + " " + p.Name())
	}
	return p.Path
}

// offerResult puts the result file into the page, for what was checked is nowhere kept.
func (d *catalogueView) offerResult(v *visit, done flow.CatalogueImport) error {
	file, err := done.Result(v.lang)
	if err != nil || len(file.Data) > maxResult {
		return err
	}
	kind, _, _ := strings.Cut(file.Type, ";")
	d.DownloadName = file.Name
	d.Download = template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(file.Data)) // our own file
	return nil
}

var changeTones = map[catalogue.Change]ui.Tone{catalogue.Created: ui.OK, catalogue.Changed: ui.Info, catalogue.Unchanged: ui.Plain, catalogue.Refused: ui.Stop}

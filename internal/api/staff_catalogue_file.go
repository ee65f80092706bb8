package api

import (
	"context"
	"mime"
	"net/http"
	"strings"

	"hufu/internal/flow"
)

// CatalogueExport says what of the catalogue is exported and how.
type CatalogueExport struct {
	Format string `query:"format" enum:"json,xlsx,csv" default:"json" doc:"csv is a zip archive of CSV files"`
	Offers string `query:"offers" maxLength:"4000" doc:"Slugs of offers separated by commas, with what they need; all of the catalogue if absent"`
}

func (a *API) staffCatalogueFile() {
	stream(a, "export-catalogue", "application/octet-stream", a.exportCatalogue)
}

func (a *API) exportCatalogue(ctx context.Context, c *Call, in *CatalogueExport) error {
	opt := flow.CatalogueExport{Format: in.Format, Lang: c.Lang}
	for slug := range strings.SplitSeq(in.Offers, ",") {
		if slug = strings.TrimSpace(slug); slug != "" {
			opt.Offers = append(opt.Offers, slug)
		}
	}
	file, err := a.Flows.ExportCatalogue(ctx, opt)
	if err != nil {
		return err
	}
	h := c.header()
	h.Set("Content-Type", file.Type)
	h.Set("Content-Disposition", `attachment; filename="`+file.Name+`"`)
	h.Set("Cache-Control", "no-store")
	c.w.WriteHeader(http.StatusOK)
	_, err = c.w.Write(file.Data)
	if err != nil {
		panic(http.ErrAbortHandler) // nobody takes a part for all
	}
	return nil
}

// catalogueName is the name of a file in a request, by whose ending it is known what it is: a catalogue
// file is JSON, CSV, or an archive that tells itself.
func catalogueName(c *Call, name string) (string, bool) {
	if isJSON(c.r.Header["Content-Type"]) {
		return strings.TrimSuffix(name, ".json") + ".json", true
	}
	kind, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return "", false
	case kind == "text/csv":
		return strings.TrimSuffix(name, ".csv") + ".csv", true
	case kind == "application/zip":
		return name, true
	case kind == xlsx:
		return strings.TrimSuffix(name, ".xlsx") + ".xlsx", true
	}
	return "", false
}

const xlsx = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

package console

import (
	"net/http"
	"net/url"
	"slices"

	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/vault"
)

func (v *visit) act() flow.Act { return flow.Act{By: string(v.by()), Origin: v.origin().Address} }

// nudge has imports carried on at once, without waiting for a worker to look.
func (c *Console) nudge() {
	c.work.Go(func() {
		if err := c.Flows.RunImports(c.ctx); err != nil && c.ctx.Err() == nil {
			c.Log.Error("an import stopped and will be carried on", "error", err)
		}
	})
}

// steerImport starts, pauses, resumes, cancels or undoes an import.
func steerImport(c *Console, v *visit) error {
	k, err := pathID[id.Import](v, "id")
	if err != nil {
		return err
	}
	steer := map[string]func() (*vault.Import, error){
		"start":  func() (*vault.Import, error) { return c.Flows.StartImport(v.r.Context(), k, v.act()) },
		"pause":  func() (*vault.Import, error) { return c.Flows.PauseImport(v.r.Context(), k, v.act()) },
		"resume": func() (*vault.Import, error) { return c.Flows.ResumeImport(v.r.Context(), k, v.act()) },
		"cancel": func() (*vault.Import, error) { return c.Flows.CancelImport(v.r.Context(), k, v.act()) },
		"undo":   func() (*vault.Import, error) { return c.Flows.UndoImport(v.r.Context(), k, v.act()) },
	}[v.f("op")]
	if steer == nil {
		return fault.New(fault.Invalid, "http.form")
	}
	_, err = steer()
	if fault.KindOf(err) == fault.Conflict {
		return v.importPage(http.StatusConflict, nil, err)
	}
	if err != nil {
		return err
	}
	c.nudge()
	return v.leave("/console/imports/"+string(k), "")
}

// importState is the part of the page that shows how far a worker is.
func importState(_ *Console, v *visit) error {
	d, err := v.anImport()
	if err != nil {
		return err
	}
	return v.live(!d.Working, "/console/imports/"+string(d.Import.ID), "console/import", "import-live", d)
}

// importErrors downloads the rows that weren't taken in, each with its reason.
func importErrors(c *Console, v *visit) error {
	k, err := pathID[id.Import](v, "id")
	if err != nil {
		return err
	}
	i, err := c.Flows.Import(v.r.Context(), k)
	if err != nil {
		return err
	}
	if slices.Contains([]vault.ImportState{vault.ImportReceiving, vault.ImportReceived}, i.State) {
		return fault.New(fault.Conflict, "vault.import_state")
	}
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape("errors-"+i.FileName+".csv"))
	if err := c.Flows.ImportErrors(v.r.Context(), k, v.act(), v.lang, v.w); err != nil {
		c.Log.WarnContext(v.r.Context(), "an error file ended early", "import", k, "trace", v.trace(), "error", err)
	}
	return nil
}

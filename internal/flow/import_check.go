package flow

import (
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/vault"
)

// known sets apart the rows that the store holds already.
func (w *codeImport) known(rows []vault.Candidate, mapping vault.Mapping) (fresh []vault.Candidate, known []vault.Problem, err error) {
	err = w.DB.View(w.ctx, func(tx *db.Tx) error {
		found, err := vault.Known(w.ctx, tx, w.Keys, w.i.Options.Issuer, rows)
		fresh, known = make([]vault.Candidate, 0, len(rows)), nil
		for n, c := range rows {
			if _, ok := found[n]; ok {
				known = append(known, vault.KnownProblem(c, mapping))
			} else {
				fresh = append(fresh, c)
			}
		}
		return err
	})
	return fresh, known, err
}

// count adds a chunk to what the import has done.
func (w *codeImport) count(t vault.Tally, known int, at int64) {
	i := w.i
	i.Done += t.Rows()
	i.Repeated += t.Repeated
	i.Invalid += t.Invalid
	i.Known += int64(known)
	i.AtRow = at
	if took := w.Clock.Now().Sub(w.began); took > 0 {
		i.Rate = int64(float64(i.Done-w.from) / took.Seconds())
	}
}

// check is the dry run. After a crash it begins anew.
func (w *codeImport) check() error {
	i := w.i
	i.Done, i.AtRow, i.Repeated, i.Known, i.Invalid, w.from = 0, 0, 0, 0, 0, 0
	if err := w.DB.Do(w.ctx, func(tx *db.Tx) error { return vault.DropProblems(w.ctx, tx, i.ID) }); err != nil {
		return err
	}
	kept := 0
	err := w.read(0, func(rows []vault.Candidate, bad []vault.Problem, t vault.Tally, at int64) error {
		_, known, err := w.known(rows, w.mapping())
		if err != nil {
			return err
		}
		bad = append(bad, known...)
		bad = bad[:min(len(bad), vault.MaxProblems-kept)]
		kept += len(bad)
		w.count(t, len(known), at)
		return w.DB.Do(w.ctx, func(tx *db.Tx) error {
			if err := vault.AddProblems(w.ctx, tx, i.ID, bad); err != nil {
				return err
			}
			return w.save(tx, vault.ImportChecking)
		})
	})
	if err != nil && !ofFile(err) {
		return err
	}
	return w.DB.Do(w.ctx, func(tx *db.Tx) error {
		i.State, i.Total = vault.ImportChecked, i.Done
		if err != nil {
			i.State, i.Why = vault.ImportFailed, fault.From(err)
		}
		return w.save(tx, vault.ImportChecking)
	})
}

// ofFile reports whether an error is the file's fault, so that trying again is in vain.
func ofFile(err error) bool {
	k := fault.KindOf(err)
	return k == fault.Invalid || k == fault.TooLarge || k == fault.Gone || fault.CodeOf(err) == "vault.sealed_damaged"
}

func (w *codeImport) mapping() vault.Mapping {
	rules, err := w.i.Options.Rules(w.i.Layout, w.i.CreatedAt)
	if err != nil {
		return vault.Mapping{}
	}
	return rules.Mapping
}

package console

import (
	"net/http"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/id"
)

// editing is who else is at the form of an offer, and whether somebody saved since the form
// was opened.
type editing struct {
	Href   string // where it is asked for again
	Others string // names, "" for nobody
	Saved  string // when somebody saved since the form was made, "" for not
	By     string // where the newer content is seen
}

// editing notes that the visitor is at the form, and tells who else is. revision is what the
// form was made from.
func (v *visit) editing(o id.Offer, revision int64) (editing, error) {
	d := editing{Href: "/console/offers/" + string(o) + "/editing/state?revision=" + strconv.FormatInt(revision, 10), By: "/console/offers/" + string(o)}
	err := v.do(func(tx *db.Tx) error {
		if err := v.c.Flows.Catalogue.Edits(v.r.Context(), tx, o, v.by(), v.c.now()); err != nil {
			return err
		}
		others, err := v.c.Flows.Catalogue.Editors(v.r.Context(), tx, o, v.by(), v.c.now())
		if err != nil {
			return err
		}
		is, err := v.c.Flows.Catalogue.Offer(v.r.Context(), tx, o)
		if err != nil {
			return err
		}
		if is.Revision > revision {
			d.Saved = v.when(is.UpdatedAt)
		}
		return v.editorNames(tx, others, &d)
	})
	return d, err
}

func (v *visit) editorNames(tx *db.Tx, others []catalogue.Editor, d *editing) error {
	ids := make([]id.Party, len(others))
	for i, e := range others {
		ids[i] = e.Party
	}
	names, err := v.names(tx, ids)
	all := make([]string, len(ids))
	for i, who := range ids {
		all[i] = names[who]
	}
	d.Others = strings.Join(all, v.t("console.comma"))
	return err
}

// offerEditing answers the form that asks again and again.
func offerEditing(_ *Console, v *visit) error {
	o, err := v.offer()
	if err != nil {
		return err
	}
	revision, _ := whole(v.q("revision"), 0, 1<<40)
	d, err := v.editing(o.ID, revision)
	if err != nil {
		return err
	}
	if v.r.Header.Get("Hufu-Fragment") == "" {
		http.Redirect(v.w, v.r, d.By+"/edit", http.StatusSeeOther)
		return nil
	}
	return v.live(false, d.By, "console/offer_form", "ui/editors", d)
}

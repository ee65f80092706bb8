package console

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/web/ui"
)

// traits tells what the shop knows of a customer, and fills the form that changes it: with what
// was sent before, where that was refused.
func (v *visit) traits(d *customerView) {
	t := d.Party.Traits
	d.Tags = t.Tags.List()
	d.Traits = []ui.Fact{{Label: v.t("rule.fact.customer.level"), Value: dash(t.Level)}, {Label: v.t("rule.fact.region"), Value: dash(t.Region)},
		{Label: v.t("console.customer.active_days"), Value: strconv.FormatInt(t.ActiveDays(v.c.now()), 10)}}
	d.Was = asWas(t)
	if d.Editing = v.f("was") != ""; !d.Editing {
		d.Values["level"], d.Values["tags"], d.Values["region"] = t.Level, strings.Join(d.Tags, "\n"), t.Region
	}
}

// asWas is what of traits travels in the form, for two who change them at once.
func asWas(t identity.Traits) string {
	b, err := json.Marshal([]string{t.Level, string(t.Tags), t.Region})
	if err != nil {
		panic(err) // texts always marshal
	}
	return string(b)
}

// setTraits gives a customer a level, tags and a region.
func setTraits(c *Console, v *visit) error {
	k, err := pathID[id.Party](v, "id")
	if err != nil {
		return err
	}
	var before []string
	if json.Unmarshal([]byte(v.f("was")), &before) != nil || len(before) != 3 {
		return fault.New(fault.Invalid, "http.form")
	}
	was := identity.Traits{Level: before[0], Tags: identity.Tags(before[1]), Region: before[2]}
	is := identity.Traits{Level: strings.TrimSpace(v.f("level")), Region: strings.ToUpper(strings.TrimSpace(v.f("region"))),
		Tags: identity.NewTags(strings.FieldsFunc(v.f("tags"), func(r rune) bool { return strings.ContainsRune("\r\n,，;；、", r) }))}
	err = v.do(func(tx *db.Tx) error {
		_, err := c.Identity.SetTraits(v.r.Context(), tx, v.actor(), k, is, &was, c.now())
		return err
	})
	switch fault.CodeOf(err) {
	case "identity.traits":
		return v.customer(http.StatusBadRequest, "", err)
	case "identity.traits_changed":
		return v.customer(http.StatusConflict, "", err)
	}
	if err != nil {
		return err
	}
	return v.leave("/console/customers/"+string(k)+"?done=traits-"+string(k), "saved")
}

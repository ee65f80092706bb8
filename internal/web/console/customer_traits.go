package console

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/rule"
	"hufu/internal/web/ui"
)

// traits tells what the shop knows of a customer, and fills the form that changes it: with what
// was sent before, where that was refused.
func (v *visit) traits(d *customerView) error {
	t := d.Party.Traits
	d.Tags = t.Tags.List()
	d.Traits = []ui.Fact{{Label: v.t("rule.fact.customer.level"), Value: dash(t.Level)}, {Label: v.t("rule.fact.region"), Value: dash(t.Region)},
		{Label: v.t("console.customer.active_days"), Value: strconv.FormatInt(t.ActiveDays(v.c.now()), 10)}}
	d.Was = asWas(t)
	if d.Editing = v.f("was") != ""; !d.Editing {
		d.Values["level"], d.Values["tags"], d.Values["region"] = t.Level, strings.Join(d.Tags, "\n"), t.Region
	}
	if !d.MayEdit {
		return nil
	}
	var offers []catalogue.Offer
	err := v.view(func(tx *db.Tx) (err error) {
		offers, err = v.c.Flows.Catalogue.Offers(v.r.Context(), tx, false)
		return err
	})
	asked := askedFor(offers)
	d.Levels = asked["customer.level"]
	d.LevelHelp, d.TagsHelp = v.t("console.customer.level.help"), v.t("console.customer.tags.help")
	for _, one := range []struct {
		help *string
		fact string
	}{{&d.LevelHelp, "customer.level"}, {&d.TagsHelp, "customer.tags"}} {
		if known := asked[one.fact]; len(known) > 0 {
			*one.help += v.t("console.customer.asked", "values", strings.Join(known, ", "))
		}
	}
	return err
}

// mostAsked is how many values of a fact are suggested.
const mostAsked = 20

// askedFor is which values of each fact the rules of offers ask for, in order: one that no rule
// knows changes nothing.
func askedFor(offers []catalogue.Offer) map[string][]string {
	out := map[string][]string{}
	var read func(b rule.Builder)
	read = func(b rule.Builder) {
		for _, item := range b.Items {
			if item.Group != nil {
				read(*item.Group)
			}
			for _, value := range item.Values {
				if at, known := slices.BinarySearch(out[item.Fact], value); !known && len(out[item.Fact]) < mostAsked {
					out[item.Fact] = slices.Insert(out[item.Fact], at, value)
				}
			}
		}
	}
	for _, o := range offers {
		for _, r := range o.Draft.Rules {
			if b, ok := catalogue.RuleWords().Parse(r.Source.Text); ok {
				read(b)
			}
		}
	}
	return out
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

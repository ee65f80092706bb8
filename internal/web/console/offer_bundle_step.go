package console

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/money"
)

// stepBundle does what a button of the parts asks for, to the form alone: it works the same
// with and without script. It is false for a button of somebody else.
func (v *visit) stepBundle(f url.Values) (bool, error) {
	list, op, ok := strings.Cut(single(f, "op"), ".")
	if !ok || list != "parts" && list != "choices" {
		return false, nil
	}
	act, arg, _ := strings.Cut(op, ":")
	parts, choices := bundleRows(f)
	at, _ := whole(arg, 0, maxParts)
	s := stepped{v: v, f: f, parts: parts, choices: choices, at: int(at)}
	var err error
	switch list + "." + act {
	case "parts.add":
		err = s.add(arg)
	case "parts.up", "parts.down":
		s.move(act)
	case "parts.fill":
		err = s.fill()
	case "parts.clear":
		for _, r := range slices.Concat(s.parts, s.choices) {
			delete(r, "share")
		}
		s.focus = "parts.fill"
	case "parts.find":
		s.focus = "parts.find"
	case "choices.add":
		s.choose()
	case "choices.up", "choices.down":
		s.moveChoice(act)
	case "parts.remove", "choices.remove", "parts.restore", "choices.restore":
		s.keep(list, act == "restore")
	}
	setBundleRows(f, s.parts, s.choices)
	f.Set("bundle.focus", s.focus)
	f.Set("bundle.told", s.told)
	return true, err
}

// stepped is a form whose parts and choices are being changed.
type stepped struct {
	v              *visit
	f              url.Values
	parts, choices []row
	at             int
	focus, told    string
}

// add puts a benefit behind the parts that are fixed, or behind the options of a choice.
func (s *stepped) add(benefit string) error {
	if len(s.parts) >= maxParts {
		return nil
	}
	name, err := s.v.benefitName(benefit)
	if err != nil || name == "" {
		return err
	}
	r := row{"benefit": benefit, "quantity": "1"}
	if to := single(s.f, "parts.to"); slices.ContainsFunc(s.choices, func(c row) bool { return c["id"] == to && to != "" }) {
		r["choice"] = to
	}
	s.parts = append(s.parts, r)
	s.focus, s.told = "parts.find", s.v.t("compose.added", "name", name)
	return nil
}

// benefitName names a benefit, "" for none.
func (v *visit) benefitName(benefit string) (string, error) {
	var name string
	err := v.view(func(tx *db.Tx) error {
		all, err := v.c.Flows.Catalogue.AllBenefits(v.r.Context(), tx)
		for _, b := range all {
			if string(b.ID) == benefit {
				name = v.pick(b.Name)
			}
		}
		return err
	})
	return name, err
}

// move exchanges a part with the one before or behind it among those of its kind.
func (s *stepped) move(act string) {
	if s.at >= len(s.parts) {
		return
	}
	step, to := 1, s.at
	if act == "up" {
		step = -1
	}
	for to += step; to >= 0 && to < len(s.parts) && s.parts[to]["choice"] != s.parts[s.at]["choice"]; to += step {
	}
	if to < 0 || to >= len(s.parts) {
		return
	}
	s.parts[s.at], s.parts[to] = s.parts[to], s.parts[s.at]
	place, of := 0, 0
	for i, r := range s.parts {
		if r["choice"] == s.parts[to]["choice"] {
			if of++; i <= to {
				place++
			}
		}
	}
	s.focus = partName(to) + "." + act
	s.told = s.v.t("compose.moved", "n", strconv.Itoa(place), "of", strconv.Itoa(of))
}

func (s *stepped) moveChoice(act string) {
	to := s.at + 1
	if act == "up" {
		to = s.at - 1
	}
	if s.at >= len(s.choices) || to < 0 || to >= len(s.choices) {
		return
	}
	s.choices[s.at], s.choices[to] = s.choices[to], s.choices[s.at]
	s.focus, s.told = choiceName(to)+"."+act, s.v.t("compose.moved", "n", strconv.Itoa(to+1), "of", strconv.Itoa(len(s.choices)))
}

// keep takes a row away, or back again.
func (s *stepped) keep(list string, stays bool) {
	rows, name := s.parts, partName(s.at)
	if list == "choices" {
		rows, name = s.choices, choiceName(s.at)
	}
	if s.at >= len(rows) {
		return
	}
	if stays {
		delete(rows[s.at], "gone")
		s.focus = name + map[string]string{"parts": ".quantity", "choices": ".name.zh"}[list]
		return
	}
	rows[s.at]["gone"] = "1"
	s.focus, s.told = name+".restore", s.v.t("compose.removed")
}

// choose adds a choice; what is added next becomes an option of it.
func (s *stepped) choose() {
	if len(s.choices) >= maxChoiceRows {
		return
	}
	key := ""
	for n := 1; key == "" || slices.ContainsFunc(s.choices, func(c row) bool { return c["id"] == key || c["key"] == key }); n++ {
		key = "choice-" + strconv.Itoa(n)
	}
	s.choices = append(s.choices, row{"id": key, "key": key, "pick": "1"})
	s.f.Set("parts.to", key)
	s.focus = choiceName(len(s.choices)-1) + ".name.zh"
}

// fill declares the shares that the list prices make, which add up to the price.
func (s *stepped) fill() error {
	o, _ := s.v.readOffer(catalogue.Offer{}, s.f, nil)
	c := o.Draft
	if err := s.v.view(func(tx *db.Tx) error { return s.v.knownParts(tx, &c) }); err != nil {
		return err
	}
	for i := range c.Parts {
		c.Parts[i].Share = money.Amount{}
	}
	for i := range c.Choices {
		c.Choices[i].Share = money.Amount{}
	}
	s.focus = "parts.fill"
	of, ok := splitPrice(c, s.v.c.now())
	if !ok {
		s.told = s.v.t("compose.split.not_yet")
		return nil
	}
	part, choice := 0, 0
	for _, r := range s.choices {
		if r["gone"] == "" {
			r["share"] = money.Of(of.choices[choice], c.Price.Currency).Decimal()
			choice++
		}
	}
	for _, r := range s.parts {
		if s.counts(r) {
			delete(r, "share")
			if r["choice"] == "" {
				r["share"] = money.Of(of.parts[part], c.Price.Currency).Decimal()
			}
			part++
		}
	}
	s.told = s.v.t("compose.filled")
	return nil
}

// counts reports whether a part of the form is one of the offer.
func (s *stepped) counts(r row) bool {
	return r["gone"] == "" && (r["choice"] == "" || slices.ContainsFunc(s.choices, func(c row) bool { return c["gone"] == "" && c["id"] == r["choice"] }))
}

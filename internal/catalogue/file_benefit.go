package catalogue

import (
	"hufu/internal/money"
	"hufu/internal/naming"
)

func (r *fileReader) stock(o object) {
	name, _ := naming.Name(o.text("name")) // text has told what hides in it
	s := FileStock{Path: o.path, Name: name, Kind: o.text("kind"), Units: o.whole("units", 0, 1e12), LowMark: o.whole("low_mark", 0, 1e12)}
	if s.Name == "" || len(s.Name) > 120 {
		r.blame(o.at("name"), "catalogue.file_stock_name")
	}
	if s.Kind != "codes" && s.Kind != "counted" {
		r.blame(o.at("kind"), "catalogue.file_stock_kind")
	}
	if s.Kind == "codes" && s.Units != 0 {
		r.blame(o.at("units"), "catalogue.file_units")
	}
	if n := o.get("edition"); n != nil {
		e := r.open(o.at("edition"), n, itemFields["edition"]...)
		s.Edition = &FileEdition{Size: s.Units, First: 1, Gapless: e.flag("gapless"), ByLot: e.flag("by_lot")}
		if e.get("size") != nil {
			s.Edition.Size = e.whole("size", 1, maxUnits)
		}
		if e.get("first") != nil {
			s.Edition.First = e.whole("first", 0, maxUnits)
		}
		switch {
		case s.Kind != "counted":
			r.blame(e.path, "catalogue.file_edition_counted")
		case s.Edition.Size < max(s.Units, 1):
			r.blame(e.at("size"), "catalogue.file_edition_size", "units", decimal(s.Units))
		}
	}
	r.allotments(o, &s)
	r.Stocks = append(r.Stocks, s)
}

func (r *fileReader) benefit(o object) {
	b := Benefit{
		Slug: o.text("slug"), Kind: o.text("kind"), Name: r.words(o, "name"), ValidDays: o.whole("valid_days", 0, 36500), Coded: o.flag("coded"),
	}
	if key := o.text("provider"); key != "" {
		var ok bool
		if b.Provider, ok = r.providers[key]; !ok {
			r.blame(o.at("provider"), "catalogue.file_no_provider", "name", key)
		}
	}
	if o.get("provider_name") != nil {
		b.Provider.Name = r.words(o, "provider_name")
	}
	if n := o.get("disclosure"); n != nil {
		d := r.open(o.at("disclosure"), n, disclosed...)
		for i, text := range b.Disclosure.texts() {
			*text = r.words(d, disclosed[i])
		}
	}
	if n := o.get("attributes"); n != nil {
		a := r.open(o.at("attributes"), n)
		for _, m := range a.node.members {
			if b.Attributes == nil {
				b.Attributes = map[string]string{}
			}
			b.Attributes[m.name] = a.text(m.name)
		}
	}
	currency := r.currency
	if own := o.text("currency"); own != "" {
		if currency = money.Currency(own); !currency.Known() {
			r.blame(o.at("currency"), "catalogue.currency")
		}
	}
	if b.Worth = r.amount(o, "worth", currency); b.Worth.Minor < 0 || b.Worth.Minor > maxWorth {
		r.blame(o.at("worth"), "bundle.worth")
	}
	if b.Worth.IsZero() {
		b.Worth = money.Amount{}
	}
	r.Benefits = append(r.Benefits, FileBenefit{Path: o.path, Benefit: b, Stock: o.text("stock")})
}

// texts are the texts of d in the order of disclosed.
func (d *Disclosure) texts() []*Text {
	return []*Text{&d.AccountType, &d.Scope, &d.Devices, &d.Validity, &d.HowToUse, &d.Refund}
}

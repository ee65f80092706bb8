package rule

import (
	"time"
)

// Issuing is the vocabulary of rules about who may have an offer, when and where: facts of
// the customer, of the visit and of the stock. choices gives, by the name of a fact, the
// values that a store has for it (its channels, levels, tags, regions); a fact with choices is
// closed to others. The zone is that of the store.
func Issuing(zone *time.Location, choices map[string][]Choice) (*Vocabulary, error) {
	facts := []Fact{
		{Name: "customer.age_days", Kind: KindNumber, Unit: "rule.unit.day", Examples: []string{"0", "30", "365"}},
		{Name: "customer.orders", Kind: KindNumber, Unit: "rule.unit.order", Examples: []string{"0", "3"}},
		{Name: "customer.active_days_30", Kind: KindNumber, Unit: "rule.unit.day", Examples: []string{"10", "20"}},
		{Name: "customer.level", Kind: KindText, Examples: []string{"gold"}},
		{Name: "customer.tags", Kind: KindSet, Private: true, Examples: []string{"vip"}},
		{Name: "customer.signed_in", Kind: KindBool},
		{Name: "channel", Kind: KindText, Examples: []string{"web"}},
		{Name: "region", Kind: KindText, Examples: []string{"CN-31"}},
		{Name: "device", Kind: KindText, Choices: []Choice{
			{Value: "mobile", Key: "rule.device.mobile"}, {Value: "tablet", Key: "rule.device.tablet"}, {Value: "desktop", Key: "rule.device.desktop"}},
			Closed: true, Examples: []string{"mobile"}},
		{Name: "now", Kind: KindTime, Examples: []string{"2026-11-11", "2026-11-11 10:00"}},
		{Name: "today", Kind: KindTime, Examples: []string{"2026-11-11"}},
		{Name: "hour", Kind: KindNumber, Examples: []string{"10", "22"}},
		{Name: "weekday", Kind: KindNumber, Examples: []string{"1", "7"}},
		{Name: "month_day", Kind: KindNumber, Examples: []string{"1", "28"}},
		{Name: "stock.available", Kind: KindNumber, Unit: "rule.unit.piece", Private: true, Examples: []string{"1", "100"}},
		{Name: "order.amount", Kind: KindAmount, Examples: []string{"99.00 CNY"}},
		{Name: "order.quantity", Kind: KindNumber, Unit: "rule.unit.piece", Examples: []string{"1", "10"}},
	}
	for i := range facts {
		f := &facts[i]
		f.Message = "rule.fact." + f.Name
		if c := choices[f.Name]; len(c) > 0 {
			f.Choices, f.Closed = c, true
		}
	}
	return NewVocabulary(zone, facts...)
}

// SetMoment tells the facts that follow from the time alone, as far as the vocabulary has
// them, in its zone: now, today (midnight), hour (0 to 23), weekday (1 Monday to 7 Sunday) and
// month_day (1 to 31).
func (f *Facts) SetMoment(t time.Time) error {
	t = t.In(f.v.zone)
	y, m, d := t.Date()
	for name, val := range map[string]Value{
		"now":       Time(t),
		"today":     Time(time.Date(y, m, d, 0, 0, 0, 0, f.v.zone)),
		"hour":      Int(int64(t.Hour())),
		"weekday":   Int(int64((t.Weekday()+6)%7 + 1)),
		"month_day": Int(int64(d)),
	} {
		if fact, ok := f.v.Fact(name); ok && fact.Kind == val.kind {
			if err := f.Set(name, val); err != nil {
				return err
			}
		}
	}
	return nil
}

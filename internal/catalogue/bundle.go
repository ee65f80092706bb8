package catalogue

import (
	"slices"
	"strconv"
	"time"

	"hufu/internal/fault"
	"hufu/internal/money"
)

const (
	maxChoices   = 10
	maxChoiceKey = 40
	maxDays      = 36500
	maxPickDays  = 3650
	// maxRights is how many rights one part may give a unit, all its releases together.
	maxRights = 1000
	maxWorth  = 100_000_000_000
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// needing is how the checks of a content report what is wrong.
type needing func(ok bool, field, code string, params ...string)

// validateBundle checks how the parts are composed: choices, validity, releases and shares.
func (c Content) validateBundle(f *fault.Error, need needing) {
	need(len(c.Choices) <= maxChoices, "choices", "bundle.too_many_choices", "limit", strconv.Itoa(maxChoices))
	for i, ch := range c.Choices {
		c.validateChoice(ch, i, f, need)
	}
	for i, p := range c.Parts {
		path := "parts[" + strconv.Itoa(i) + "]"
		release := p.Release
		if p.Choice != "" {
			at := slices.IndexFunc(c.Choices, func(ch Choice) bool { return ch.Key == p.Choice })
			need(at >= 0, path+".choice", "bundle.no_choice", "key", p.Choice)
			need(p.Release.same(Release{}), path+".release", "bundle.option_release")
			need(p.Share.IsZero(), path+".share", "bundle.option_share")
			if release = (Release{}); at >= 0 {
				release = c.Choices[at].Release
			}
		} else {
			p.Release.validate(path+".release", need)
		}
		times := max(release.Count, 1)
		need(p.Quantity < 1 || p.Quantity > 1000 || times > MaxReleases || p.Quantity*times <= maxRights, path+".quantity", "bundle.too_many_rights", "limit", strconv.Itoa(maxRights))
		p.Validity.validate(path+".validity", need)
		need(p.Validity.outlasts(release), path+".validity", "bundle.validity_release")
		need(!slices.ContainsFunc(c.Parts[:i], p.repeats), path, "catalogue.part_twice", "benefit", p.Benefit.Slug)
		w := p.Benefit.Worth
		need(w.IsZero() || w.Minor > 0 && w.Minor <= maxWorth && w.Currency.Known(), path+".benefit.worth", "bundle.worth")
	}
	need(c.Floor.IsZero() || c.Floor.Minor > 0 && c.Floor.Currency == c.Price.Currency && c.Floor.Minor <= c.Price.Minor, "floor", "bundle.floor")
	c.validateShares(need)
	r, path := c.Room, "room"
	need(r.PerMinute >= 0 && r.PerMinute <= 600_000 && (r.PerMinute > 0 || r.Minutes == 0), path+".per_minute", "bundle.room_rate")
	need(r.PerMinute == 0 || r.Minutes >= 1 && r.Minutes <= 60, path+".minutes", "bundle.room_stay")
}

// repeats reports whether two parts promise the same in the same way: they are to be one, of
// which there are more.
func (p Part) repeats(q Part) bool {
	return p.Benefit.ID != "" && p.Benefit.ID == q.Benefit.ID && p.Choice == q.Choice && (p.Choice != "" || p.Release.same(q.Release) && p.Validity.same(q.Validity))
}

func (c Content) validateChoice(ch Choice, i int, f *fault.Error, need needing) {
	path := "choices[" + strconv.Itoa(i) + "]"
	need(slugForm.MatchString(ch.Key) && len(ch.Key) <= maxChoiceKey, path+".key", "bundle.choice_key")
	need(!slices.ContainsFunc(c.Choices[:i], func(other Choice) bool { return other.Key == ch.Key }), path+".key", "bundle.choice_twice")
	need(ch.Name.ZH != "", path+".name.zh", "catalogue.required")
	need(ch.Name.EN != "", path+".name.en", "catalogue.required")
	need(ch.Name.within(200), path+".name", "catalogue.too_long", "limit", "200")
	ch.Name.seen(path+".name", f)
	options := c.Options(ch.Key)
	need(ch.Pick >= 1 && ch.Pick < int64(len(options)), path+".pick", "bundle.pick", "options", strconv.Itoa(len(options)))
	need(ch.Later && ch.Days >= 1 && ch.Days <= maxPickDays || !ch.Later && ch.Days == 0, path+".days", "bundle.choice_days", "limit", strconv.Itoa(maxPickDays))
	ch.Release.validate(path+".release", need)
	if ch.Later {
		need(!slices.ContainsFunc(options, func(n int) bool { return c.Parts[n].Quantity != c.Parts[options[0]].Quantity }), path, "bundle.later_quantity")
	}
}

func (r Release) validate(path string, need needing) {
	if !slices.Contains(Everys, r.Every) {
		need(false, path+".every", "bundle.every")
		return
	}
	if r.Every == AtOnce {
		need(r.same(Release{}), path, "bundle.release_once")
		return
	}
	need(r.Count >= 1 && r.Count <= MaxReleases, path+".count", "bundle.release_count", "limit", strconv.Itoa(MaxReleases))
	need(!r.CatchUp || !r.From.IsZero(), path+".catch_up", "bundle.catch_up")
	need(r.Until.IsZero() || r.From.IsZero() || r.Until.After(dayOf(r.From)), path+".until", "bundle.release_until")
}

func (v Validity) validate(path string, need needing) {
	if !slices.Contains(ValidFroms, v.From) {
		need(false, path+".from", "bundle.valid_from")
		return
	}
	counted := v.From == FromPurchase || v.Begun()
	need(counted && v.Days >= 1 && v.Days <= maxDays || !counted && v.Days == 0, path+".days", "bundle.valid_days", "limit", strconv.Itoa(maxDays))
	need(v.Within == 0 || v.Begun() && v.Within > 0 && v.Within <= maxDays, path+".within", "bundle.valid_within", "limit", strconv.Itoa(maxDays))
	if v.From == FromWindow {
		need(!v.Start.IsZero() && v.End.After(v.Start), path+".end", "bundle.window")
	} else {
		need(v.Start.IsZero() && v.End.IsZero(), path+".end", "bundle.window_only")
	}
}

// outlasts reports whether nothing is released that has already ended: a window ends after
// the last release, and days from the purchase are more than the releases take.
func (v Validity) outlasts(r Release) bool {
	if r.Every == AtOnce || r.Count < 1 || !slices.Contains(Everys, r.Every) {
		return true
	}
	begins := r.From
	if begins.IsZero() {
		begins = time.Date(2000, 1, 1, 0, 0, 0, 0, Zone) // of the longest run of months
	}
	last := r.Every.after(dayOf(begins), int(min(r.Count, MaxReleases))-1)
	switch v.From {
	case FromWindow:
		if !r.Until.IsZero() && !r.Until.After(v.End) {
			return true
		}
		return !r.From.IsZero() && last.Before(v.End)
	case FromPurchase:
		return r.From.IsZero() && last.Sub(dayOf(begins)) < time.Duration(v.Days)*24*time.Hour
	}
	return true
}

// validateShares wants shares of everything that has a price of its own, or of nothing.
func (c Content) validateShares(need needing) {
	if !c.shared() {
		return
	}
	sum, all := money.Of(0, c.Price.Currency), true
	one := func(share money.Amount, path string) {
		ok := share.Minor > 0 && share.Minor <= c.Price.Minor && share.Currency == c.Price.Currency
		need(ok, path+".share", "bundle.share")
		if all = all && ok; ok {
			sum.Minor += share.Minor
		}
	}
	for i, p := range c.Parts {
		if p.Choice == "" {
			one(p.Share, "parts["+strconv.Itoa(i)+"]")
		}
	}
	for i, ch := range c.Choices {
		one(ch.Share, "choices["+strconv.Itoa(i)+"]")
	}
	need(!all || sum == c.Price, "shares", "bundle.shares", "sum", sum.String(), "price", c.Price.String())
}

// same reports whether two releases are one and the same, however their moments are written.
func (r Release) same(q Release) bool {
	return r.Every == q.Every && r.Count == q.Count && r.From.Equal(q.From) && r.CatchUp == q.CatchUp && r.Until.Equal(q.Until)
}

func (v Validity) same(w Validity) bool {
	return v.From == w.From && v.Days == w.Days && v.Within == w.Within && v.Start.Equal(w.Start) && v.End.Equal(w.End)
}

// sameGoods reports whether two choices let one pick the same; the share of the price is the
// seller's.
func (c Choice) sameGoods(d Choice) bool {
	return c.Key == d.Key && c.Pick == d.Pick && c.Later == d.Later && c.Days == d.Days && c.Release.same(d.Release)
}

package web

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/flow/terms"
	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/pricing"
	"hufu/internal/web/ui"
)

type offerView struct {
	ui.Page
	Card       ui.Offer
	Slug       string
	Preview    string // where a preview of a working copy leads back to; "" when it isn't one
	Separate   string // the providers' accounts are apart
	Apart      string // the same in few words
	Bundle     bundleView
	Rules      []string // that don't let the shopper, and why
	SignIn     string   // where one signs in whom a rule might let then
	Groups     []termGroup
	Conflict   conflictsView
	Paragraphs []string
	Quantities []ui.Option
	Why        []ui.Fact
	Open       bool   // can be bought now
	Queue      string // where one lines up first; "" when nobody waits
	Form       string // that takes picks and quantity, "" for none
	Notice     ui.Flash
	StartsAt   time.Time // when it isn't on sale yet
	EndsAt     time.Time // when the sale ends, zero: it doesn't
}

// most is how many choices a quantity has; who wants more types the number.
const most = 20

// onSale finds an offer that shoppers may see.
func (s *Web) onSale(ctx context.Context, slug string) (goods, error) {
	var found []goods
	now := s.now()
	err := s.Flows.DB.View(ctx, func(tx *db.Tx) error {
		o, err := s.Flows.Catalogue.OfferBySlug(ctx, tx, slug)
		if err != nil {
			return err
		}
		found, err = s.stand(ctx, tx, []catalogue.Offer{o}, now)
		return err
	})
	if (err != nil && fault.KindOf(err) == fault.NotFound) || (err == nil && len(found) == 0) {
		return goods{}, fault.New(fault.NotFound, "order.no_offer")
	}
	if err != nil {
		return goods{}, err
	}
	return found[0], nil
}

// offer is the page of one offer: its price and every condition stand before the button.
func (s *Web) offer(w http.ResponseWriter, r *http.Request) error {
	g, err := s.onSale(r.Context(), r.PathValue("slug"))
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	c := g.Version.Content
	v := &offerView{Card: g.card(lang), Slug: g.Offer.Slug, Separate: terms.Separate(lang, c.Providers()), Apart: apart(lang, c), Groups: termsOf(lang, c),
		Paragraphs: paragraphs(pick(lang, c.Description)), Why: why(lang, flow.Quote(c, nil, s.now()).Text(), c.Price.Currency), EndsAt: g.Offer.EndsAt}
	v.Page = ui.Page{Section: "home", Title: v.Card.Name, Description: v.Card.Sub, Crumbs: []ui.Crumb{{Label: lang.T("ui.nav.home"), Href: "/"},
		{Label: lang.T("shop.category." + g.Offer.Category), Href: "/?c=" + g.Offer.Category}, {Label: v.Card.Name}}}
	kept := s.wishOf(r, g)
	v.Quantities, v.Bundle = quantities(g, max(kept.n, 1)), bundleOf(lang, g, kept.picks, s.now())
	e, err := s.signedIn(r)
	if err != nil {
		return err
	}
	if v.Conflict, err = s.conflicts(r.Context(), lang, e, g.Version, 1, nil, url.QueryEscape(v.Card.Href)); err != nil {
		return err
	}
	limits, err := s.limits(r.Context(), lang, r, e, g.Version)
	if err != nil {
		return err
	}
	v.Groups = slices.Insert(v.Groups, 1, limits...)
	if err := s.refusals(r, v, e, g); err != nil {
		return err
	}
	v.Private = len(g.Version.Content.Rules) > 0 || e != nil && (v.Conflict.Note != "" || len(limits) > 0) // it tells what the member holds and has bought
	v.Open, v.Notice = open(lang, g)
	v.Private = v.Private || kept.n > 0
	if _, waited := roomOf(g); waited && (g.State == catalogue.Live && v.Open || g.State == catalogue.Scheduled) && (g.State == catalogue.Scheduled || s.queued(r, g) != "") {
		v.Queue = "/offers/" + g.Offer.Slug + "/queue"
	}
	switch {
	case v.Queue != "":
		v.Form = "join"
	case v.Open:
		v.Form = "buy"
	}
	if g.State == catalogue.Scheduled {
		v.StartsAt = g.Offer.StartsAt
	}
	s.ui.Render(w, r, http.StatusOK, "shop/offer", v)
	return nil
}

// open tells whether the offer can be bought, and if not, why and what to do.
func open(lang i18n.Lang, g goods) (bool, ui.Flash) {
	say := func(tone ui.Tone, key string) (bool, ui.Flash) {
		return false, ui.Flash{Tone: tone, Title: lang.T(key), Text: lang.T(key + ".text")}
	}
	switch {
	case g.State == catalogue.Scheduled:
		return say(ui.Info, "shop.offer.soon")
	case g.State != catalogue.Live:
		return say(ui.Warn, "shop.offer.paused")
	case g.Stock.Out():
		return say(ui.Warn, "shop.offer.out")
	}
	return true, ui.Flash{}
}

// apart says in few words that the accounts of several providers are apart, "" for one.
func apart(lang i18n.Lang, c catalogue.Content) string {
	all := c.Providers()
	if len(all) < 2 {
		return ""
	}
	return lang.T("shop.accounts.short", "n", strconv.Itoa(len(all)), "names", terms.Names(lang, all))
}

// quantities are the numbers of units that can be chosen.
func quantities(g goods, chosen int64) []ui.Option {
	n := min(g.Version.Content.MaxPerOrder, most)
	if !g.Stock.Unlimited {
		n = min(n, max(g.Stock.Left, 1))
	}
	var out []ui.Option
	for i := int64(1); i <= n; i++ {
		out = append(out, ui.Option{Value: strconv.FormatInt(i, 10), Label: strconv.FormatInt(i, 10), Selected: i == chosen})
	}
	if chosen > n {
		out = append(out, ui.Option{Value: strconv.FormatInt(chosen, 10), Label: strconv.FormatInt(chosen, 10), Selected: true})
	}
	return out
}

// why tells how a price came about, from the text an order keeps of it.
func why(lang i18n.Lang, quote string, cur money.Currency) []ui.Fact {
	var out []ui.Fact
	for part := range strings.SplitSeq(quote, ";") {
		name, minor, _ := strings.Cut(part, "=")
		n, err := strconv.ParseInt(minor, 10, 64)
		if err != nil || !i18n.Has("shop.why."+name) {
			continue
		}
		out = append(out, ui.Fact{Label: lang.T("shop.why." + name), Value: money.Of(n, cur).String()})
	}
	if n := saving(quote); n > 0 {
		out = append(out, ui.Fact{Label: lang.T("shop.why.saving"), Value: money.Of(n, cur).String()})
	}
	return out
}

// saving is how much less than by themselves the parts of a kept quote cost together, in minor
// units; zero when that isn't known.
func saving(quote string) int64 {
	steps, err := pricing.ParseSteps(quote)
	if err != nil {
		return 0
	}
	for _, s := range steps {
		if s.Name == "worth" {
			return max(s.Minor-steps[len(steps)-1].Minor, 0)
		}
	}
	return 0
}

// paragraphs splits an operator's text at its empty lines. It is text: whatever it holds is
// shown and never interpreted (S44).
func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

package web

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/pinyin"
	"hufu/internal/web/ui"
)

// perPage is how many cards a page has.
const perPage = 48

type homeView struct {
	ui.Page
	Hero   *ui.Offer
	Chips  []ui.Option
	Offers []ui.Offer
	Total  int
	Pager  ui.Pager
	Empty  ui.Empty
	AsOf   time.Time
}

// home shows what is sold, all of it or one category (?c=).
func (s *Web) home(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	category := in.text("c")
	if category != "" && !slices.Contains(catalogue.Categories, category) {
		return fault.New(fault.NotFound, "not_found")
	}
	all, at, err := s.look(r.Context())
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	v := &homeView{Page: ui.Page{Section: "home", Description: lang.T("shop.home.description")}, AsOf: at}
	count := map[string]int{}
	var shown []goods
	for _, g := range all {
		count[g.Offer.Category]++
		if category == "" || g.Offer.Category == category {
			shown = append(shown, g)
		}
	}
	v.Chips = append(v.Chips, ui.Option{Label: lang.T("shop.category.all"), Href: "/", Selected: category == ""})
	for _, c := range catalogue.Categories {
		if count[c] > 0 {
			v.Chips = append(v.Chips, ui.Option{Label: lang.T("shop.category." + c), Href: "/?c=" + c, Count: strconv.Itoa(count[c]), Selected: c == category})
		}
	}
	if category != "" {
		v.Title = lang.T("shop.category." + category)
	}
	page, ok := in.number("p", 1, 1000)
	if !ok {
		page = 1
	}
	if category == "" && page == 1 {
		v.Hero = hero(shown, lang)
	}
	v.list(lang, shown, int(page), url.Values{"c": {category}})
	v.Empty = ui.Empty{Art: "box", Title: lang.T("shop.home.empty"), Text: lang.T("shop.home.empty.text"), Action: &ui.Action{Label: lang.T("ui.help"), Href: "/help", Kind: "secondary"}}
	s.ui.Render(w, r, http.StatusOK, "shop/home", v)
	return nil
}

// hero is the first offer that can be bought.
func hero(all []goods, lang i18n.Lang) *ui.Offer {
	for _, g := range all {
		if g.State == catalogue.Live && !g.Stock.Out() {
			o := g.card(lang)
			return &o
		}
	}
	return nil
}

// list fills in one page of cards.
func (v *homeView) list(lang i18n.Lang, shown []goods, page int, keep url.Values) {
	v.Total = len(shown)
	from := min((page-1)*perPage, len(shown))
	to := min(from+perPage, len(shown))
	for _, g := range shown[from:to] {
		v.Offers = append(v.Offers, g.card(lang))
	}
	if len(shown) <= perPage {
		return
	}
	href := func(p int) string {
		q := url.Values{}
		for k, all := range keep {
			if all[0] != "" {
				q[k] = all
			}
		}
		q.Set("p", strconv.Itoa(p))
		return "?" + q.Encode()
	}
	v.Pager = ui.Pager{From: from + 1, To: to, Total: int64(len(shown))}
	if page > 1 {
		v.Pager.Prev = href(page - 1)
	}
	if to < len(shown) {
		v.Pager.Next = href(page + 1)
	}
}

type searchView struct {
	homeView
	Query   string
	Instead []ui.Offer // when nothing was found
}

// maxQuery is how many characters of a search are looked at.
const maxQuery = 60

// search finds offers by words of their names, summaries and providers (?q=).
func (s *Web) search(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	all, at, err := s.look(r.Context())
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	v := &searchView{Query: searched(in)}
	v.Page = ui.Page{Section: "home", Title: lang.T("ui.search")}
	v.AsOf = at
	page, ok := in.number("p", 1, 1000)
	if !ok {
		page = 1
	}
	if v.Query != "" {
		v.Title = lang.T("shop.search.title", "q", v.Query)
		v.list(lang, find(all, v.Query), int(page), url.Values{"q": {v.Query}})
	}
	if v.Total == 0 {
		for _, g := range all[:min(4, len(all))] {
			v.Instead = append(v.Instead, g.card(lang))
		}
		v.Empty = ui.Empty{Art: "search", Title: lang.T("shop.search.none", "q", v.Query), Text: lang.T("shop.search.none.text"), Action: &ui.Action{Label: lang.T("shop.category.all"), Href: "/", Kind: "secondary"}}
	}
	for _, c := range catalogue.Categories {
		if slices.ContainsFunc(all, func(g goods) bool { return g.Offer.Category == c }) {
			v.Chips = append(v.Chips, ui.Option{Label: lang.T("shop.category." + c), Href: "/?c=" + c})
		}
	}
	s.ui.Render(w, r, http.StatusOK, "shop/search", v)
	return nil
}

// maxSuggested is how many offers are suggested while somebody types.
const maxSuggested = 6

// suggest answers the search box while somebody types, with a list of options.
func (s *Web) suggest(w http.ResponseWriter, r *http.Request) error {
	in, err := query(r)
	if err != nil {
		return err
	}
	all, _, err := s.look(r.Context())
	if err != nil {
		return err
	}
	lang := ui.LangOf(r)
	found := find(all, searched(in))
	cards := make([]ui.Offer, 0, maxSuggested)
	for _, g := range found[:min(len(found), maxSuggested)] {
		cards = append(cards, g.card(lang))
	}
	s.ui.Fragment(w, r, http.StatusOK, "shop/search", "found", cards)
	return nil
}

// searched is what is searched for, as far as it is looked at.
func searched(in input) string {
	q := []rune(in.text("q"))
	return string(q[:min(len(q), maxQuery)])
}

// find gives the offers that hold every word of a query, in either language or as their
// Chinese names are said: those whose
// name begins with it first, then those whose name holds it, then the rest.
func find(all []goods, q string) []goods {
	words := strings.Fields(strings.ToLower(q))
	var ranks [3][]goods
	for _, g := range all {
		c := g.Version.Content
		title := strings.ToLower(c.Title.ZH + "\n" + c.Title.EN)
		text := title + "\n" + strings.ToLower(c.Summary.ZH+"\n"+c.Summary.EN+"\n"+i18n.ZH.T("shop.category."+g.Offer.Category)+"\n"+i18n.EN.T("shop.category."+g.Offer.Category))
		said := c.Title.ZH
		for _, p := range c.Parts {
			said += "\n" + p.Benefit.Provider.Name.ZH + "\n" + p.Benefit.Name.ZH
			text += "\n" + strings.ToLower(p.Benefit.Provider.Name.ZH+"\n"+p.Benefit.Provider.Name.EN+"\n"+p.Benefit.Name.ZH+"\n"+p.Benefit.Name.EN)
		}
		in, named := true, true
		for _, word := range words {
			in, named = in && (strings.Contains(text, word) || pinyin.Matches(said, word)), named && (strings.Contains(title, word) || pinyin.Matches(c.Title.ZH, word))
		}
		switch {
		case !in || len(words) == 0:
		case strings.HasPrefix(title, words[0]) || strings.Contains(title, "\n"+words[0]):
			ranks[0] = append(ranks[0], g)
		case named:
			ranks[1] = append(ranks[1], g)
		default:
			ranks[2] = append(ranks[2], g)
		}
	}
	return slices.Concat(ranks[:]...)
}

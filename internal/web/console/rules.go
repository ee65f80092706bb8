package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"

	"hufu/internal/catalogue"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/money"
	"hufu/internal/rule"
	"hufu/internal/web/ui"
)

// rulesView is the part of the form of an offer that says who may buy it.
type rulesView struct {
	Rules     []ruleView
	Count     int // of the rows of the form
	Kept      int // of the rules that stay
	Templates []ui.Option
	Facts     []ruleFact // to insert into a text
	Preview   rulePreview
	Focus     string // id of the field to go on with
	Fresh     bool   // the page is as it is stored, nothing of it has been sent yet
	Error     string // about the rules as a whole
}

// ruleView is one rule.
type ruleView struct {
	I                  int
	Name               string // prefix of its fields
	Label              string
	Named, Refusal     catalogue.Text
	AsText, Open, Gone bool
	Text               string
	First, Last        bool
	At                 bool // what was just done, was done to it
	Root               ruleGroup
	Said               ruleSaid
	Errors             map[string]string // by the names of fields
}

// ruleSaid is what a rule says, or why it says nothing yet.
type ruleSaid struct {
	Name      string
	AsText    bool
	OK        bool
	Sentences []string // to staff
	Problems  []ruleProblem
	Marks     []ruleMark // the text, with its problems told apart
	Unshown   bool       // the form has no way to show it
	Example   string     // what a shopper might be of whom it is told
	ZH, EN    []string   // what a shopper reads who isn't let in
}

// ruleProblem is one thing that a rule is not right for.
type ruleProblem struct {
	Where, Text string
	From, To    int    // where it is in the text, in the browser's units
	Fix, Meant  string // name of the button that mends it, and what it writes
}

type ruleMark struct {
	Text string
	Bad  bool
}

// ruleFact is a fact as authors of texts look it up.
type ruleFact struct{ Name, Label, About, Kind, Snippet string }

// ruleGroup is a group of conditions.
type ruleGroup struct {
	Path     string
	Label    string // of its choice of mode
	Modes    []ui.Option
	Joint    string // the word between two of its items
	Items    []ruleItem
	Root     bool
	MayGroup bool
	Error    string
}

type ruleItem struct {
	Path   string
	N      int
	First  bool
	Joint  string
	Group  *ruleGroup
	Facts  []ruleFacts
	Was    string
	Ops    []ui.Option
	About  string
	Inputs []ruleInput
	More   bool // values
	Error  string
}

// ruleFacts are the facts of one kind of thing, in a list to choose from.
type ruleFacts struct {
	Label   string
	Options []ui.Option
}

// ruleInput is a field for a value, fitting its fact.
type ruleInput struct {
	Kind                string // number, text, choice, check, date, amount
	Name, ID, Label     string
	Value               string
	Clock, ClockName    string // of a date: the time of day, "" for the whole day
	Unit                string // after a number
	UnitName            string
	Options             []ui.Option // choices; currencies of an amount
	Placeholder, Joiner string
	Checked             bool
	Error               string
}

// rulesView makes the part of the form. errors are those that the form was refused for.
func (v *visit) rulesView(f url.Values, errors map[string]string) (rulesView, error) {
	words := catalogue.RuleWords()
	drafts := readDrafts(f)
	d := rulesView{Count: len(drafts), Focus: single(f, "rules.focus"), Fresh: v.r != nil && v.r.Method == http.MethodGet, Error: errors["offer-rules"], Templates: v.ruleTemplates(), Facts: v.ruleFacts(words)}
	checked := single(f, "rules.checked")
	for i := range drafts {
		r := v.ruleView(words, i, &drafts[i], errors, checked == strconv.Itoa(i))
		r.At = d.Focus != "" && strings.HasPrefix(d.Focus, r.Name+".") || checked == strconv.Itoa(i)
		r.First, r.Last = i == 0, i == len(drafts)-1
		if !r.Gone {
			d.Kept++
		}
		d.Rules = append(d.Rules, r)
	}
	var err error
	d.Preview, err = v.previewRules(f, words, drafts)
	return d, err
}

func (v *visit) ruleView(words *rule.Vocabulary, i int, d *ruleDraft, errors map[string]string, checked bool) ruleView {
	r := ruleView{I: i, Name: ruleName(i), Label: v.pick(d.Name), Named: d.Name, Refusal: d.Refusal, AsText: d.AsText, Text: d.Text, Open: d.Open, Gone: d.Gone, Errors: map[string]string{}}
	if r.Label == "" {
		r.Label = v.t("console.rules.nth", "n", ui.FormatInt(int64(i+1)))
	}
	for name, text := range errors {
		if strings.HasPrefix(name, r.Name+".") {
			r.Errors[name], r.Open = text, true
		}
	}
	r.Said = v.ruleSaid(words, i, d)
	if checked && !d.AsText {
		_, err := d.source(words)
		for _, field := range ruleFaults(d, err) {
			if name := r.Name + "." + field.Path; r.Errors[name] == "" {
				r.Errors[name] = v.lang.Field(field)
			}
		}
	}
	r.Said.Unshown = d.AsText && r.Said.OK && checked
	if !d.AsText {
		if text := r.Errors[r.Name+".text"]; text != "" && r.Errors[r.Name+".items"] == "" {
			r.Errors[r.Name+".items"] = text
		}
		r.Root = v.ruleGroup(words, r.Name, d.Form, r.Errors, 0)
	}
	return r
}

// ruleSaid puts a rule in words, or says what it isn't right for.
func (v *visit) ruleSaid(words *rule.Vocabulary, i int, d *ruleDraft) ruleSaid {
	s := ruleSaid{Name: ruleName(i), AsText: d.AsText}
	text, err := d.source(words)
	if d.AsText {
		text = d.Text
		s.Marks = ruleMarks(text, rule.Problems(err))
	}
	for _, p := range rule.Problems(err) {
		out := ruleProblem{Where: v.t("console.rules.where", "line", strconv.Itoa(p.Line), "column", strconv.Itoa(p.Column)), Text: v.lang.Field(fault.Field{Code: p.Code, Params: p.Params}),
			From: units(text, p.From), To: units(text, p.To)}
		if meant, ok := meantBy(p); ok {
			out.Fix, out.Meant = rulePrefix+"fix:"+s.Name+":"+strconv.Itoa(p.From), meant
		}
		s.Problems = append(s.Problems, out)
	}
	if err != nil && len(s.Problems) == 0 {
		for _, field := range ruleFaults(d, err) {
			s.Problems = append(s.Problems, ruleProblem{Text: v.lang.Field(field)})
		}
	}
	r, err := words.Compile(rule.Source{Text: text, RefusalZH: d.Refusal.ZH, RefusalEN: d.Refusal.EN})
	if err != nil || len(s.Problems) > 0 {
		return s
	}
	s.OK, s.Sentences = true, r.Describe(v.lang)
	s.Example, s.ZH, s.EN = v.refusal(words, r)
	return s
}

// units is a place in a text as browsers count it.
func units(text string, runes int) int {
	r := []rune(text)
	return len(utf16.Encode(r[:min(runes, len(r))]))
}

// ruleMarks is a text in pieces, those that are wrong told apart. What is wrong with nothing, as at
// the end, has a space of its own.
func ruleMarks(text string, problems []rule.Problem) []ruleMark {
	var out []ruleMark
	r, at := []rune(text), 0
	for _, p := range problems {
		if p.From < at || p.To > len(r) {
			continue
		}
		bad := string(r[p.From:p.To])
		if strings.TrimSpace(bad) == "" {
			bad += "\u00a0"
		}
		out = append(out, ruleMark{Text: string(r[at:p.From])}, ruleMark{Text: bad, Bad: true})
		at = p.To
	}
	return append(out, ruleMark{Text: string(r[at:])})
}

// refusal is what a shopper reads who isn't let in. Without words of the author it depends on
// the shopper, and is told of an example.
func (v *visit) refusal(words *rule.Vocabulary, r *rule.Rule) (example string, zh, en []string) {
	e, ok := v.leftOut(words, r)
	if ok && r.Source().RefusalZH == "" {
		example = v.t("console.rules.example")
	}
	return example, e.Shopper(i18n.ZH), e.Shopper(i18n.EN)
}

// leftOut finds a case that the rule doesn't let in, or one of which nothing is known; false
// when it lets everybody in.
func (v *visit) leftOut(words *rule.Vocabulary, r *rule.Rule) (rule.Explanation, bool) {
	f := words.Facts()
	for _, number := range []int64{0, 1, 12, 1000} {
		f.Reset()
		err := f.SetMoment(v.c.now())
		for _, fact := range words.All() {
			switch fact.Kind {
			case rule.KindNumber:
				err = cmp.Or(err, f.Set(fact.Name, rule.Int(number)))
			case rule.KindBool:
				err = cmp.Or(err, f.Set(fact.Name, rule.Bool(number%2 == 1)))
			case rule.KindSet:
				err = cmp.Or(err, f.Set(fact.Name, rule.Set()))
			}
		}
		if e, bad := r.Explain(f); err == nil && bad == nil && e.Truth == rule.No {
			return e, true
		}
	}
	f.Reset()
	e, err := r.Explain(f)
	return e, err == nil && e.Truth != rule.Yes
}

func (v *visit) ruleTemplates() []ui.Option {
	var out []ui.Option
	for _, t := range ruleTemplates {
		out = append(out, ui.Option{Value: rulePrefix + "add:" + t.key, Label: v.t("console.rules.template." + t.key)})
	}
	return out
}

func (v *visit) ruleFacts(words *rule.Vocabulary) []ruleFact {
	var out []ruleFact
	for _, f := range words.All() {
		out = append(out, ruleFact{Name: f.Name, Label: f.Label(v.lang), About: f.About(v.lang), Kind: v.t("rule.kind." + f.Kind.String()), Snippet: snippet(f)})
	}
	return out
}

func (v *visit) ruleGroup(words *rule.Vocabulary, path string, b rule.Builder, errors map[string]string, depth int) ruleGroup {
	if b.Mode == "" {
		b.Mode = rule.All
	}
	g := ruleGroup{Path: path, Root: depth == 0, MayGroup: depth < rule.MaxDepth-1, Label: v.t("console.rules.mode"), Joint: v.t("console.rules.joint." + string(b.Mode)), Error: errors[path+".items"]}
	if g.Error == "" {
		g.Error = errors[path+".mode"]
	}
	for _, m := range rule.Modes {
		g.Modes = append(g.Modes, ui.Option{Value: string(m), Label: v.t("rule.mode." + string(m)), Selected: b.Mode == m})
	}
	for k, item := range b.Items {
		at := itemName(path, k)
		out := ruleItem{Path: at, N: k + 1, First: k == 0, Joint: g.Joint}
		if item.Group != nil {
			inner := v.ruleGroup(words, at, *item.Group, errors, depth+1)
			out.Group = &inner
		} else {
			v.condition(words, &out, item.Condition, errors)
		}
		g.Items = append(g.Items, out)
	}
	return g
}

// factGroups are what facts are of, by the beginnings of their names.
var factGroups = []string{"customer", "visit", "time", "order"}

func factGroup(name string) string {
	head, _, dotted := strings.Cut(name, ".")
	switch {
	case head == "customer":
		return head
	case dotted:
		return "order"
	case slices.Contains([]string{"now", "today", "hour", "weekday", "month_day"}, head):
		return "time"
	}
	return "visit"
}

func (v *visit) condition(words *rule.Vocabulary, out *ruleItem, c rule.Condition, errors map[string]string) {
	fact, known := words.Fact(c.Fact)
	for _, of := range factGroups {
		g := ruleFacts{Label: v.t("console.rules.facts." + of)}
		for _, f := range words.All() {
			if factGroup(f.Name) == of {
				g.Options = append(g.Options, ui.Option{Value: f.Name, Label: f.Label(v.lang), Selected: f.Name == c.Fact})
			}
		}
		out.Facts = append(out.Facts, g)
	}
	out.Was = c.Fact
	for _, name := range []string{".fact", ".op", ".values"} {
		if text := errors[out.Path+name]; text != "" && out.Error == "" {
			out.Error = text
		}
	}
	if !known {
		out.Facts = append([]ruleFacts{{Options: []ui.Option{{Value: c.Fact, Label: c.Fact, Selected: true}}}}, out.Facts...)
		return
	}
	out.About = fact.About(v.lang)
	for _, op := range fact.Kind.Ops() {
		out.Ops = append(out.Ops, ui.Option{Value: string(op), Label: op.Label(fact.Kind, v.lang), Selected: op == c.Op})
	}
	out.Inputs = v.ruleInputs(fact, c, out.Path, errors)
	_, high := c.Op.Values()
	out.More = high > 2 && !fact.Closed
}

// ruleInputs are the fields for the values of a condition, with an empty one while there may
// be more.
func (v *visit) ruleInputs(fact rule.Fact, c rule.Condition, path string, errors map[string]string) []ruleInput {
	low, high := c.Op.Values()
	if high == 0 {
		return nil
	}
	if fact.Closed && high > 1 {
		return v.ruleChecks(fact, c, path)
	}
	n := max(low, min(len(c.Values)+1, high))
	var out []ruleInput
	for j := range n {
		k := "[" + strconv.Itoa(j) + "]"
		in := ruleInput{Kind: "text", Name: path + ".values" + k, Label: v.t("console.rules.value", "fact", fact.Label(v.lang), "n", strconv.Itoa(j+1)), Error: errors[path+".values"+k]}
		in.ID = in.Name
		if j < len(c.Values) {
			in.Value = c.Values[j]
		}
		if j == 1 && c.Op == rule.OpBetween {
			in.Joiner = v.t("console.rules.to")
		}
		if len(fact.Examples) > 0 {
			in.Placeholder = fact.Examples[min(j, len(fact.Examples)-1)]
		}
		v.fitted(&in, fact, k, path)
		out = append(out, in)
	}
	return out
}

// ruleCurrencies are offered for amounts, besides the one that is written.
var ruleCurrencies = []money.Currency{money.CNY, money.USD, money.EUR, money.GBP, money.HKD, money.JPY}

// fitted makes a field fit the kind of its fact.
func (v *visit) fitted(in *ruleInput, fact rule.Fact, k, path string) {
	choose := func(value, label string) {
		in.Options = append(in.Options, ui.Option{Value: value, Label: label, Selected: value == in.Value})
	}
	switch {
	case fact.Closed:
		in.Kind = "choice"
		choose("", v.t("console.rules.choose"))
		for _, c := range fact.Choices {
			choose(c.Value, c.In(v.lang))
		}
		if !slices.ContainsFunc(in.Options, func(o ui.Option) bool { return o.Selected }) {
			choose(in.Value, in.Value)
		}
	case fact.Name == "weekday":
		in.Kind = "choice"
		choose("", v.t("console.rules.choose"))
		for day := range 7 {
			n := strconv.Itoa(day + 1)
			choose(n, v.t("console.rules.weekday."+n))
		}
		if !slices.ContainsFunc(in.Options, func(o ui.Option) bool { return o.Selected }) {
			choose(in.Value, in.Value)
		}
	case fact.Kind == rule.KindNumber:
		in.Kind = "number"
		if fact.Unit != "" {
			in.Unit = strings.TrimSpace(v.t(fact.Unit, "n", ""))
		}
	case fact.Kind == rule.KindTime:
		in.Kind, in.ClockName = "date", path+".clock"+k
		in.Value, in.Clock, _ = strings.Cut(in.Value, " ")
		in.Placeholder = ""
	case fact.Kind == rule.KindAmount:
		in.Kind, in.UnitName = "amount", path+".unit"+k
		number, currency, has := strings.Cut(in.Value, " ")
		if !has {
			currency = "CNY"
		}
		in.Value, in.Placeholder = number, strings.Fields(in.Placeholder + " ")[0]
		for _, known := range ruleCurrencies {
			in.Options = append(in.Options, ui.Option{Value: string(known), Label: string(known), Selected: string(known) == currency})
		}
		if !slices.ContainsFunc(in.Options, func(o ui.Option) bool { return o.Selected }) {
			in.Options = append(in.Options, ui.Option{Value: currency, Label: currency, Selected: true})
		}
	}
}

// ruleChecks are the values of a fact with closed choices, several of which may be wanted.
func (v *visit) ruleChecks(fact rule.Fact, c rule.Condition, path string) []ruleInput {
	var out []ruleInput
	check := func(value, label string) {
		name := fmt.Sprintf("%s.values[%d]", path, len(out))
		out = append(out, ruleInput{Kind: "check", Name: name, ID: name, Label: label, Value: value, Checked: slices.Contains(c.Values, value)})
	}
	for _, choice := range fact.Choices {
		check(choice.Value, choice.In(v.lang))
	}
	for _, value := range c.Values {
		if !slices.ContainsFunc(fact.Choices, func(c rule.Choice) bool { return c.Value == value }) {
			check(value, value)
		}
	}
	return out
}

// changeRules answers the script of the form: the rules after a button, what one of them says,
// or who would qualify.
func changeRules(c *Console, v *visit) error {
	if v.r.Header.Get("Hufu-Fragment") == "" {
		return v.leave("/console/offers", "")
	}
	act, arg, _ := strings.Cut(single(v.form, "op"), ":")
	v.stepRules(v.form)
	if act == rulePrefix+"said" {
		words := catalogue.RuleWords()
		drafts := readDrafts(v.form)
		i, _, ok := locate(arg, drafts)
		if !ok {
			return fault.New(fault.NotFound, "not_found")
		}
		c.ui.Fragment(v.w, v.r, http.StatusOK, "console/offer_form", "rule-said", v.ruleSaid(words, i, &drafts[i]))
		return nil
	}
	d, err := v.rulesView(v.form, nil)
	if err != nil {
		return err
	}
	if act == rulePrefix+"preview" {
		c.ui.Fragment(v.w, v.r, http.StatusOK, "console/offer_form", "rules-preview", d.Preview)
		return nil
	}
	c.ui.Fragment(v.w, v.r, http.StatusOK, "console/offer_form", "rules-list", d)
	return nil
}

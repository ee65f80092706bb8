package catalogue

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/naming"
	"hufu/internal/rule"
)

// MaxRules is how many issuing rules an offer may have.
const MaxRules = 10

const maxRuleName = 100

// RuleWords is the vocabulary that issuing rules are written in: rule.Issuing with the
// channels there are, and dates in Zone. Levels, tags and regions are open, because a store
// may write the rule first.
var RuleWords = sync.OnceValue(func() *rule.Vocabulary {
	var channels []rule.Choice
	for _, c := range Channels {
		channels = append(channels, rule.Choice{Value: c, Key: "limit.channel." + c})
	}
	v, err := rule.Issuing(Zone, map[string][]rule.Choice{"channel": channels})
	if err != nil {
		panic(err) // a mistake of the program, which any test of it finds
	}
	return v
})

// compiled are the rules of a version, made when they are first asked for.
type compiled struct {
	once  sync.Once
	rules []*rule.Rule
	err   error
}

// Rules are the version's issuing rules, compiled, in the order of its content. They are
// compiled once for a version that Service gave. A version whose rules can't be read any more
// fails: it lets nobody through.
func (v *Version) Rules() ([]*rule.Rule, error) {
	if len(v.Content.Rules) == 0 {
		return nil, nil
	}
	if v.compiled == nil {
		return v.Content.compile()
	}
	v.compiled.once.Do(func() { v.compiled.rules, v.compiled.err = v.Content.compile() })
	return v.compiled.rules, v.compiled.err
}

func (c Content) compile() ([]*rule.Rule, error) {
	out := make([]*rule.Rule, len(c.Rules))
	for i, r := range c.Rules {
		var err error
		if out[i], err = RuleWords().Compile(r.Source); err != nil {
			return nil, fault.Wrap(err, fault.Internal, "issuing.stored", r.Name.Param("rule")...)
		}
	}
	return out, nil
}

// validateRules checks the issuing rules. What is wrong in a text is a field for each problem
// at rules[i].text, with its place in the parameters as rule.Problems gives it.
func (c Content) validateRules(f *fault.Error, need needing) {
	need(len(c.Rules) <= MaxRules, "rules", "issuing.too_many", "limit", strconv.Itoa(MaxRules))
	for i, r := range c.Rules[:min(len(c.Rules), MaxRules)] {
		path := "rules[" + strconv.Itoa(i) + "]"
		need(strings.TrimSpace(r.Name.ZH) != "", path+".name.zh", "catalogue.required")
		need(strings.TrimSpace(r.Name.EN) != "", path+".name.en", "catalogue.required")
		need(r.Name.within(maxRuleName), path+".name", "catalogue.too_long", "limit", strconv.Itoa(maxRuleName))
		need(!slices.ContainsFunc(c.Rules[:i], r.named), path+".name", "issuing.named_twice")
		_, err := RuleWords().Compile(r.Source)
		if err == nil {
			continue
		}
		e := fault.From(err)
		if len(e.Fields) == 0 {
			f.Fields = append(f.Fields, fault.Field{Path: path + ".refusal", Code: e.Code, Params: e.Params})
		}
		for _, one := range e.Fields {
			f.Fields = append(f.Fields, fault.Field{Path: path + ".text", Code: one.Code, Params: one.Params})
		}
	}
}

// named reports whether two rules are told by one name, in either language.
func (r Issuing) named(q Issuing) bool {
	return r.Name.ZH != "" && naming.Same(r.Name.ZH, q.Name.ZH) || r.Name.EN != "" && naming.Same(r.Name.EN, q.Name.EN)
}

// seen reports what hides in what people read of the rule, and in the texts it compares with.
func (r Issuing) seen(path string, f *fault.Error) {
	r.Name.seen(path+".name", f)
	Text{r.Source.RefusalZH, r.Source.RefusalEN}.seen(path+".refusal", f)
	if naming.HiddenText(r.Source.Text) {
		f.At(path+".text", "catalogue.hidden")
	}
}

// Sellable is how many units of the offer can be sold when so many units of each stock are
// free; false when no stock limits it.
func (c Content) Sellable(free func(id.Stock) int64, at time.Time) (int64, bool) {
	left, limited := int64(0), false
	for stock, each := range c.Supplies(c.Plentiful(free), at) {
		if n := free(stock) / each; !limited || n < left {
			left, limited = n, true
		}
	}
	return left, limited
}

package rule

import (
	"fmt"
	"regexp"
	"slices"
	"time"

	"hufu/internal/i18n"
)

// Fact declares one thing that rules may ask for.
type Fact struct {
	// Name is how rules call it: words of lower-case letters, digits and underscores,
	// joined by dots, such as customer.age_days.
	Name string
	Kind Kind
	// Message is the key of its name in the console. Message.about explains it to who
	// writes rules, Message.you is how a refusal calls it before the shopper.
	Message string
	// Unit is the key of how a number of it is said ("{n} days"), Unit.one for exactly 1.
	// Empty for a bare number.
	Unit string
	// Choices are the values it can have, for texts and sets.
	Choices []Choice
	// Closed refuses rules that speak of other values than Choices.
	Closed bool
	// Private facts are never told to the shopper, neither wanted nor actual value: a tag,
	// a score.
	Private bool
	// Examples are values as a person writes them.
	Examples []string
}

// Choice is one value that a text can have, with its name for people.
type Choice struct {
	Value  string
	ZH, EN string // what operators wrote
	Key    string // of a message, instead of ZH and EN
}

// In is the choice's name in l, or its value when it has none.
func (c Choice) In(l i18n.Lang) string {
	if c.Key != "" {
		return l.T(c.Key)
	}
	if name := l.Pick(c.ZH, c.EN); name != "" {
		return name
	}
	return c.Value
}

// Label is the fact's name in the console.
func (f Fact) Label(l i18n.Lang) string { return l.T(f.Message) }

// About explains the fact to who writes rules.
func (f Fact) About(l i18n.Lang) string { return l.T(f.Message + ".about") }

func (f Fact) choice(value string) (Choice, bool) {
	i := slices.IndexFunc(f.Choices, func(c Choice) bool { return c.Value == value })
	if i < 0 {
		return Choice{}, false
	}
	return f.Choices[i], true
}

// Vocabulary is the set of facts that rules may speak of, and the time zone in which they
// write dates. It doesn't change and is safe for concurrent use.
type Vocabulary struct {
	zone  *time.Location
	facts []Fact
	index map[string]Ref
}

// Ref is a fact's place in its vocabulary, for setting it without looking up its name.
type Ref int

// MaxFacts is how many facts a vocabulary may have.
const MaxFacts = 256

var (
	nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
	wordForm = regexp.MustCompile(`[a-z0-9_]+`)
)

// reserved are the words of the language, which no part of a fact's name can be.
var reserved = []string{"and", "or", "not", "in", "contains", "matches", "let", "if", "else", "true", "false", "nil"}

// NewVocabulary declares facts. It fails on what would be a mistake of the program: names
// that aren't, or twice the same, missing messages, choices of what has none.
func NewVocabulary(zone *time.Location, facts ...Fact) (*Vocabulary, error) {
	if zone == nil {
		return nil, fmt.Errorf("rule: a vocabulary needs a time zone")
	}
	if len(facts) > MaxFacts {
		return nil, fmt.Errorf("rule: %d facts, at most %d", len(facts), MaxFacts)
	}
	v := &Vocabulary{zone: zone, facts: slices.Clone(facts), index: make(map[string]Ref, len(facts))}
	for i, f := range v.facts {
		if !nameForm.MatchString(f.Name) || slices.ContainsFunc(wordForm.FindAllString(f.Name, -1), func(w string) bool { return slices.Contains(reserved, w) }) {
			return nil, fmt.Errorf("rule: %q can't name a fact", f.Name)
		}
		if _, twice := v.index[f.Name]; twice {
			return nil, fmt.Errorf("rule: the fact %s is declared twice", f.Name)
		}
		if f.Kind < KindNumber || f.Kind > KindAmount {
			return nil, fmt.Errorf("rule: the fact %s has no kind", f.Name)
		}
		keys := []string{f.Message, f.Message + ".about", f.Message + ".you"}
		if f.Unit != "" {
			keys = append(keys, f.Unit, f.Unit+".one")
		}
		for _, c := range f.Choices {
			if c.Key != "" {
				keys = append(keys, c.Key)
			}
		}
		for _, key := range keys {
			if !i18n.Has(key) {
				return nil, fmt.Errorf("rule: the fact %s has no message %s", f.Name, key)
			}
		}
		if (len(f.Choices) > 0 || f.Closed) && f.Kind != KindText && f.Kind != KindSet {
			return nil, fmt.Errorf("rule: the fact %s is a %s and has no choices", f.Name, f.Kind)
		}
		v.index[f.Name] = Ref(i)
	}
	return v, nil
}

// Zone is where the dates of rules are.
func (v *Vocabulary) Zone() *time.Location { return v.zone }

// All lists the facts in the order they were declared in.
func (v *Vocabulary) All() []Fact { return slices.Clone(v.facts) }

// Fact finds a fact by name.
func (v *Vocabulary) Fact(name string) (Fact, bool) {
	r, ok := v.index[name]
	if !ok {
		return Fact{}, false
	}
	return v.facts[r], true
}

// Ref finds a fact's place by its name.
func (v *Vocabulary) Ref(name string) (Ref, bool) { r, ok := v.index[name]; return r, ok }

// Value reads a value of a fact as a person writes it in the builder: 3, gold,
// 2026-11-11, 2026-11-11 10:00, 99.00 CNY. A set takes one of its members.
func (v *Vocabulary) Value(name, written string) (Value, bool) {
	f, ok := v.Fact(name)
	if !ok || !plainText(written) {
		return Value{}, false
	}
	kind := f.Kind
	if kind == KindSet {
		kind = KindText
	}
	val, ok := typed(kind, written, v.zone)
	if _, known := f.choice(written); !ok || f.Closed && !known {
		return Value{}, false
	}
	return val, val.within()
}

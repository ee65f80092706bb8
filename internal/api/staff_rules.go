package api

import (
	"context"
	"strconv"
	"time"

	"hufu/internal/catalogue"
	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/insight/audience"
	"hufu/internal/rule"
)

// RuleText is an issuing rule to be checked.
type RuleText struct {
	Text string `json:"text" maxLength:"4000" example:"customer.orders == 0"`
}

// CheckedRule is what a rule says, or why it can't be one.
type CheckedRule struct {
	Clauses  []string      `json:"clauses" doc:"What it asks for, a sentence for each thing that must hold"`
	Facts    []string      `json:"facts" doc:"What it reads"`
	Problems []RuleProblem `json:"problems" doc:"None for a rule that can be published"`
}

// RuleProblem is one thing for which a text can't be a rule, and where.
type RuleProblem struct {
	Line    int    `json:"line" doc:"From 1"`
	Column  int    `json:"column" doc:"From 1, in characters"`
	From    int    `json:"from" doc:"Offset in characters"`
	To      int    `json:"to" doc:"Offset of what follows"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// RulePreview asks who of the shop's customers would qualify.
type RulePreview struct {
	Rules   []RuleText `json:"rules" minItems:"1" maxItems:"10" doc:"All of them have to let"`
	Channel string     `json:"channel,omitempty" enum:"web,api" doc:"Where they buy; without it, what a rule asks of the channel isn't known"`
	At      *time.Time `json:"at,omitempty" doc:"When they buy; without it, now"`
}

// WhoQualifies is who would qualify.
type WhoQualifies struct {
	All     int64      `json:"all" doc:"Active customers"`
	Qualify int64      `json:"qualify"`
	AsOf    *time.Time `json:"as_of,omitempty" doc:"Every customer is as of then or later; absent until they have been counted once"`
	Samples []Party    `json:"samples" doc:"Some who qualify, the newest first, masked; needs the right order.view, and is on record"`
	Reasons []LeftOut  `json:"reasons"`
}

// LeftOut is a part of a rule and whom it leaves out.
type LeftOut struct {
	Rule   int    `json:"rule" doc:"Which rule, from 0"`
	Clause string `json:"clause"`
	Count  int64  `json:"left_out" doc:"Who doesn't meet it, or of whom it isn't known"`
	Alone  int64  `json:"alone" doc:"Of these, who would qualify without it"`
}

// CustomerTraits are what rules may ask of a customer beside what they did.
type CustomerTraits struct {
	Level  string   `json:"level" maxLength:"40"`
	Tags   []string `json:"tags" maxItems:"50" maxLength:"40"`
	Region string   `json:"region" maxLength:"6" example:"CN-31" doc:"ISO 3166-2; empty when it isn't known"`
}

type ruleInput struct{ Body RuleText }

type rulePreviewInput struct{ Body RulePreview }

type traitsInput struct {
	PartyRef
	Body CustomerTraits
}

func (a *API) staffRules() {
	operation(a, "check-rule", a.checkRule)
	operation(a, "preview-rules", a.previewRules)
	once(a, "set-customer-traits", a.setTraits)
}

func (a *API) checkRule(_ context.Context, c *Call, in *ruleInput) (*CheckedRule, error) {
	localized(c)
	out := &CheckedRule{Clauses: []string{}, Facts: []string{}, Problems: []RuleProblem{}}
	r, err := catalogue.RuleWords().Compile(rule.Source{Text: in.Body.Text})
	if err == nil {
		out.Clauses, out.Facts = append(out.Clauses, r.Describe(c.Lang)...), append(out.Facts, r.Needs()...)
		return out, nil
	}
	out.Problems = problemsOf(c.Lang, err)
	return out, nil
}

func problemsOf(l i18n.Lang, err error) []RuleProblem {
	var out []RuleProblem
	for _, p := range rule.Problems(err) {
		out = append(out, RuleProblem{p.Line, p.Column, p.From, p.To, p.Code, l.Field(fault.Field{Code: p.Code, Params: p.Params})})
	}
	return out
}

func (a *API) previewRules(ctx context.Context, c *Call, in *rulePreviewInput) (*WhoQualifies, error) {
	bad := fault.New(fault.Invalid, "catalogue.content")
	var rules []*rule.Rule
	for i, text := range in.Body.Rules {
		r, err := catalogue.RuleWords().Compile(rule.Source{Text: text.Text})
		for _, p := range rule.Problems(err) {
			bad.Fields = append(bad.Fields, fault.Field{Path: "rules[" + strconv.Itoa(i) + "].text", Code: p.Code, Params: p.Params})
		}
		rules = append(rules, r)
	}
	if len(bad.Fields) > 0 {
		return nil, bad
	}
	at := a.Flows.Clock.Now()
	if in.Body.At != nil {
		at = *in.Body.At
	}
	visit, err := audience.Visit(catalogue.RuleWords(), in.Body.Channel, at)
	if err != nil {
		return nil, err
	}
	samples := 0
	if c.session.May(identity.OrderView) {
		samples = 5
	}
	out := &WhoQualifies{Samples: []Party{}, Reasons: []LeftOut{}}
	var some []id.Party
	if err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		got, err := audience.Preview(ctx, tx, rules, visit, at, samples)
		if err != nil {
			return err
		}
		out.All, out.Qualify, out.AsOf, some = got.All, got.Qualify, timeIf(got.AsOf), got.Samples
		for _, r := range got.Reasons {
			out.Reasons = append(out.Reasons, LeftOut{r.Rule, r.Clause.Say(c.Lang), r.LeftOut, r.Alone})
		}
		people, err := a.Identity.Parties(ctx, tx, some)
		for _, k := range some {
			if p, ok := people[k]; ok {
				out.Samples = append(out.Samples, masked(p))
			}
		}
		return err
	}); err != nil {
		return nil, err
	}
	localized(c)
	if len(out.Samples) == 0 {
		return out, nil
	}
	return out, a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		return a.record(ctx, tx, c, "rule.samples", "", map[string]string{"customers": strconv.Itoa(len(out.Samples)), "rule": in.Body.Rules[0].Text})
	})
}

func (a *API) setTraits(ctx context.Context, tx *db.Tx, c *Call, in *traitsInput) (*Customer, error) {
	t := identity.Traits{Level: in.Body.Level, Tags: identity.NewTags(in.Body.Tags), Region: in.Body.Region}
	p, err := a.Identity.SetTraits(ctx, tx, c.actor(), in.Party, t, nil, a.Flows.Clock.Now())
	if err != nil {
		return nil, err
	}
	out := a.showCustomer(p)
	out.Balances, err = a.balances(ctx, tx, p.ID)
	return out, err
}

func (a *API) showCustomer(p identity.Party) *Customer {
	return &Customer{Party: masked(p), Lang: string(p.Lang), CreatedAt: p.CreatedAt, ActiveDays: p.ActiveDays(a.Flows.Clock.Now()),
		Traits: CustomerTraits{p.Level, append([]string{}, p.Tags.List()...), p.Region}}
}

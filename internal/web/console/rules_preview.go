package console

import (
	"net/url"

	"hufu/internal/catalogue"
	"hufu/internal/rule"
	"hufu/internal/web/ui"
)

// rulePreview is who of the store's customers would qualify.
type rulePreview struct {
	Channels []ui.Option
	At       string // moment that it is asked for, "" for now
	Asked    bool
	Problem  string // why there is no answer
	Title    string // the answer in a sentence
	AsOf     string
	Bar      []ui.Part
	Samples  []previewed
	Reasons  []previewReason
}

// previewed is a customer as staff may see one.
type previewed struct{ Who, About string }

// previewReason is a part of a rule, and how many it leaves out.
type previewReason struct {
	Rule, Text     string
	LeftOut, Alone int
}

// previewRules asks who would qualify, when the form asks it.
func (v *visit) previewRules(f url.Values, words *rule.Vocabulary, drafts []ruleDraft) (rulePreview, error) {
	d := rulePreview{At: single(f, "rules.at"), Asked: single(f, "rules.previewed") != ""}
	for _, c := range catalogue.Channels {
		d.Channels = append(d.Channels, ui.Option{Value: c, Label: v.t("limit.channel." + c), Selected: single(f, "rules.channel") == c})
	}
	return d, nil
}

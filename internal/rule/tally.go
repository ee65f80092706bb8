package rule

// Tally counts a rule over many cases: a preview of who qualifies, and what the others
// lack. Its memory does not depend on how many cases there are. It is used by one
// goroutine; Merge joins the tallies of several.
type Tally struct {
	rule *Rule
	// Seen are all cases, Qualify those for which the rule is Yes, Unknown those for which
	// facts are missing to decide.
	Seen, Qualify, Unknown int
	reasons                []Reason
}

// Reason is one part of a rule, all of whose parts must hold.
type Reason struct {
	Clause  Clause
	LeftOut int // cases that don't meet it, for which it isn't known counted in
	Alone   int // of these, those that meet all the others: who would qualify without it
}

// Tally begins to count.
func (r *Rule) Tally() *Tally {
	t := &Tally{rule: r}
	for _, c := range r.Clauses() {
		t.reasons = append(t.reasons, Reason{Clause: c})
	}
	return t
}

// Add counts one case and tells its answer. It allocates nothing; the facts can be filled
// anew for the next case.
func (t *Tally) Add(f *Facts) (Truth, error) {
	answer, err := t.rule.Eval(f)
	if err != nil {
		return Unknown, err
	}
	t.Seen++
	switch answer {
	case Yes:
		t.Qualify++
		return Yes, nil
	case Unknown:
		t.Unknown++
	}
	last, unmet := 0, 0
	for i, c := range t.rule.clauses {
		if c.eval(f.vals) != Yes {
			t.reasons[i].LeftOut++
			last, unmet = i, unmet+1
		}
	}
	if unmet == 1 {
		t.reasons[last].Alone++
	}
	return answer, nil
}

// Unmet appends to into the clauses, by their places in Clauses, that a case doesn't meet: none
// when it qualifies. The facts are of the rule's vocabulary.
func (r *Rule) Unmet(f *Facts, into []int) []int {
	for i, c := range r.clauses {
		if c.eval(f.vals) != Yes {
			into = append(into, i)
		}
	}
	return into
}

// Merge adds what another tally of the same rule has counted.
func (t *Tally) Merge(other *Tally) {
	t.Seen, t.Qualify, t.Unknown = t.Seen+other.Seen, t.Qualify+other.Qualify, t.Unknown+other.Unknown
	for i := range min(len(t.reasons), len(other.reasons)) {
		t.reasons[i].LeftOut += other.reasons[i].LeftOut
		t.reasons[i].Alone += other.reasons[i].Alone
	}
}

// Reasons are the parts of the rule in its order, with what each leaves out.
func (t *Tally) Reasons() []Reason { return append([]Reason(nil), t.reasons...) }

package audience

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"hufu/internal/identity"
	"hufu/internal/rule"
)

// maxClauses is how many clauses one query counts: each is a bit of a number.
const maxClauses = 60

func age(createdDay int64, now time.Time) int64 { return max(identity.Day(now)-createdDay, 0) }

// query is rules as SQL over insight_customers. Nothing in a predicate is negated, so what is
// unknown may count as unmet wherever it stands.
type query struct {
	today  int64
	unmet  []string // of each clause, a condition that is 1 when it isn't met and 0 when it is
	args   []any
	active bool // the days of activity are asked for
}

func newQuery(now time.Time) *query { return &query{today: identity.Day(now)} }

// clauses takes the clauses of rules; false when one can't be a query.
func (q *query) clauses(rules []*rule.Rule, visit *rule.Facts) bool {
	if err := visit.Set("customer.signed_in", rule.Bool(true)); err != nil {
		return false
	}
	for _, r := range rules {
		p, ok := r.Predicate()
		if !ok {
			return false
		}
		kids := []rule.Predicate{p}
		if len(r.Clauses()) > 1 {
			kids = p.Kids
		}
		for _, kid := range kids {
			q.unmet = append(q.unmet, "CASE WHEN "+q.condition(kid.Given(visit))+" THEN 0 ELSE 1 END")
		}
	}
	return true
}

// from is each customer with what the conditions compare. LIMIT keeps SQLite from working the
// subquery into the query around it, which would calculate its columns again wherever they
// are named.
func (q *query) from(where string) string {
	active := ""
	if q.active {
		past := "(" + number(q.today) + " - active_day)"
		active = ", CASE WHEN " + past + " < 0 OR " + past + " >= 30 THEN 0 ELSE (active_bits << CAST(" + past + " AS INTEGER)) & 1073741823 END AS bits"
	}
	return "(SELECT " + customerColumns + active + " FROM insight_customers" + where + ")"
}

const whole = " LIMIT 9223372036854775807"

// count counts all, those who qualify, the newest of them, and for each clause those it
// leaves out and those it alone does.
func (q *query) count() string {
	var b strings.Builder
	b.WriteString("SELECT COUNT(*), COUNT(*) FILTER (WHERE unmet = 0), COALESCE(MAX(party_id) FILTER (WHERE unmet = 0), '')")
	for i := range q.unmet {
		bit := number(1 << i)
		b.WriteString(", COUNT(*) FILTER (WHERE (unmet & " + bit + ") <> 0), COUNT(*) FILTER (WHERE unmet = " + bit + ")")
	}
	b.WriteString(" FROM (SELECT party_id, CAST(0 AS BIGINT)")
	for i, c := range q.unmet {
		b.WriteString(" + (" + c + ") * " + number(1<<i))
	}
	b.WriteString(" AS unmet FROM " + q.from(whole) + " AS c" + whole + ") AS m")
	return b.String()
}

// samples gives the newest who qualify, from a customer back. Both were minted by the shop.
func (q *query) samples(newest string, n int) string {
	q.args = append(q.args, newest)
	where := " WHERE party_id <= $" + strconv.Itoa(len(q.args)) + " ORDER BY party_id DESC LIMIT " + strconv.Itoa(sampleDepth)
	text := "SELECT party_id FROM " + q.from(where) + " AS c"
	for i, c := range q.unmet {
		text += []string{" WHERE ", " AND "}[min(i, 1)] + "(" + c + ") = 0"
	}
	return text + " ORDER BY party_id DESC LIMIT " + strconv.Itoa(n)
}

const (
	always = "1 = 1"
	never  = "1 = 0"
)

func fixed(yes bool) string {
	if yes {
		return always
	}
	return never
}

// condition is a predicate as SQL, true exactly when the predicate is Yes.
func (q *query) condition(p rule.Predicate) string {
	switch p.Op {
	case rule.PredicateAlways:
		return always
	case rule.PredicateAnd, rule.PredicateOr:
		join := " AND "
		if p.Op == rule.PredicateOr {
			join = " OR "
		}
		parts := make([]string, len(p.Kids))
		for i, kid := range p.Kids {
			parts[i] = "(" + q.condition(kid) + ")"
		}
		return joined(parts, join)
	case rule.PredicateCompare:
		return q.compare(p)
	}
	return never
}

// bitsSet counts the bits of a number of 30, in pairs, fours and eights (the usual population
// count: H. S. Warren, Hacker's Delight, 5-1).
const bitsSet = `((((bits - ((bits >> 1) & 357913941)) & 858993459) + (((bits - ((bits >> 1) & 357913941)) >> 2) & 858993459)
+ ((((bits - ((bits >> 1) & 357913941)) & 858993459) + (((bits - ((bits >> 1) & 357913941)) >> 2) & 858993459)) >> 4)) & 252645135) % 255`

func (q *query) compare(p rule.Predicate) string {
	switch p.Fact {
	case "customer.age_days":
		day := number(q.today)
		return numbers("(CASE WHEN created_day > "+day+" THEN 0 ELSE "+day+" - created_day END)", p)
	case "customer.orders":
		return numbers("orders", p)
	case "customer.active_days_30":
		q.active = true
		return numbers("("+bitsSet+")", p)
	case "customer.level":
		return q.texts("level", p)
	case "region":
		return "region <> '' AND (" + q.texts("region", p) + ")"
	case "customer.tags":
		return q.sets(p)
	}
	return never // not known of anybody
}

func numbers(column string, p rule.Predicate) string {
	one := func(op string, v rule.Value) string {
		x := v.Number()
		if x == math.Trunc(x) && math.Abs(x) < 1<<53 {
			return column + " " + op + " " + number(int64(x))
		}
		return column + " " + op + " " + strconv.FormatFloat(x, 'f', -1, 64)
	}
	each := func(op, join string) string {
		parts := make([]string, len(p.Values))
		for i, v := range p.Values {
			parts[i] = one(op, v)
		}
		return joined(parts, join)
	}
	switch p.Compare {
	case rule.OpIs, rule.OpOneOf:
		return each("=", " OR ")
	case rule.OpIsNot, rule.OpNoneOf:
		return each("<>", " AND ")
	case rule.OpAtLeast:
		return one(">=", p.Values[0])
	case rule.OpAtMost:
		return one("<=", p.Values[0])
	case rule.OpMoreThan:
		return one(">", p.Values[0])
	case rule.OpLessThan:
		return one("<", p.Values[0])
	}
	return never
}

// joined is conditions with a word between them. Of none, all hold and not one does.
func joined(parts []string, join string) string {
	if len(parts) == 0 {
		return fixed(join == " AND ")
	}
	return strings.Join(parts, join)
}

// bind makes a text a parameter.
func (q *query) bind(s string) string {
	q.args = append(q.args, s)
	return "$" + strconv.Itoa(len(q.args))
}

// held asks for what a column holds; LIKE and INSTR aren't the same on both databases.
func (q *query) held(column, part string, want bool) string {
	switch {
	case part == "":
		return fixed(want)
	case !storable(part):
		return fixed(!want)
	}
	op := " <> "
	if !want {
		op = " = "
	}
	return "replace(" + column + ", " + q.bind(part) + ", '')" + op + column
}

// storable reports whether a column may hold a text: PostgreSQL takes no NUL.
func storable(s string) bool { return !strings.ContainsRune(s, 0) && utf8.ValidString(s) }

func (q *query) texts(column string, p rule.Predicate) string {
	equal := func(want bool, join string) string {
		parts := make([]string, len(p.Values))
		for i, v := range p.Values {
			switch s := v.Text(); {
			case !storable(s):
				parts[i] = fixed(!want)
			case want:
				parts[i] = column + " = " + q.bind(s)
			default:
				parts[i] = column + " <> " + q.bind(s)
			}
		}
		return joined(parts, join)
	}
	s := p.Values[0].Text()
	size := strconv.Itoa(utf8.RuneCountInString(s))
	at := func(from string, want bool) string {
		if s == "" || !storable(s) {
			return fixed((s == "") == want)
		}
		is := "length(" + column + ") >= " + size + " AND substr(" + column + ", " + from + ", " + size + ") = " + q.bind(s)
		if want {
			return is
		}
		return "NOT (" + is + ")"
	}
	end := "length(" + column + ") - " + size + " + 1"
	switch p.Compare {
	case rule.OpIs, rule.OpOneOf:
		return equal(true, " OR ")
	case rule.OpIsNot, rule.OpNoneOf:
		return equal(false, " AND ")
	case rule.OpContains, rule.OpContainsNot:
		return q.held(column, s, p.Compare == rule.OpContains)
	case rule.OpStarts, rule.OpStartsNot:
		return at("1", p.Compare == rule.OpStarts)
	case rule.OpEnds, rule.OpEndsNot:
		return at(end, p.Compare == rule.OpEnds)
	}
	return never
}

// sets asks for whole tags: each stands between line ends.
func (q *query) sets(p rule.Predicate) string {
	each := func(want bool, join string) string {
		parts := make([]string, len(p.Values))
		for i, v := range p.Values {
			if s := v.Text(); s == "" || strings.Contains(s, "\n") {
				parts[i] = fixed(!want) // is no tag
			} else {
				parts[i] = q.held("tags", "\n"+s+"\n", want)
			}
		}
		return joined(parts, join)
	}
	switch p.Compare {
	case rule.OpHas, rule.OpHasAny:
		return each(true, " OR ")
	case rule.OpHasAll:
		return each(true, " AND ")
	case rule.OpHasNot, rule.OpHasNone:
		return each(false, " AND ")
	case rule.OpLacksSome:
		return each(false, " OR ")
	}
	return never
}

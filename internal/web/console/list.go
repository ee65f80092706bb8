package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"hufu/internal/money"
	"hufu/internal/web/ui"
)

// perPage is how many rows a list shows.
const perPage = 50

// listView is a page that is one table.
type listView struct {
	ui.Page
	Lead      string
	Actions   []ui.Action
	Tabs      []ui.Option
	Find      findBox
	Segments  []ui.Option
	Note      note
	Table     ui.Table
	HideTools bool
}

// findBox is the search of a list.
type findBox struct {
	Action, Value, Label string
	Keep                 []ui.Fact // the filters that stay
	Post                 bool      // takes contacts or codes, which must stand in no address
}

// find is the search box of the list at path, which keeps the filters that are set.
func (v *visit) find(path, label string, keep ...string) findBox {
	f := findBox{Action: path, Value: v.q("q"), Label: v.t(label)}
	for _, name := range keep {
		if value := v.q(name); value != "" {
			f.Keep = append(f.Keep, ui.Fact{Label: name, Value: value})
		}
	}
	return f
}

// note is a banner.
type note struct {
	Tone        ui.Tone
	Title, Text string
}

func (v *visit) list(l *listView) error {
	l.Table.Pager.AsOf = v.c.now()
	return v.render(http.StatusOK, "list", l)
}

// cut takes a page (?p=) out of a list that is in memory.
func cut[T any](v *visit, all []T, pager *ui.Pager) []T {
	page, ok := whole(v.q("p"), 1, 1<<20)
	if !ok {
		page = 1
	}
	from := min(int(page-1)*perPage, len(all))
	to := min(from+perPage, len(all))
	*pager = ui.Pager{From: from + 1, To: to, Total: int64(len(all))}
	if from > 0 {
		pager.Prev = v.with("p", strconv.FormatInt(page-1, 10))
	}
	if to < len(all) {
		pager.Next = v.with("p", strconv.FormatInt(page+1, 10))
	}
	if len(all) == 0 {
		pager.From = 0
	}
	return all[from:to]
}

// with is this page's address with one field of its query changed; "" takes the field out.
// A list that is filtered or sorted otherwise begins at its first page.
func (v *visit) with(name, value string) string {
	q := v.r.URL.Query()
	for _, gone := range []string{"say", "done", "p", "before"} {
		q.Del(gone)
	}
	if value == "" {
		q.Del(name)
	} else {
		q.Set(name, value)
	}
	return address(v.r.URL.Path, q)
}

// sorted puts a list that is in memory into the order that the head of a column asks for
// (?sort=key, "-key" is descending), and leaves it as it is when none does.
func sorted[T any](v *visit, all []T, by map[string]func(a, b T) int) []T {
	key, down := strings.CutPrefix(v.q("sort"), "-")
	compare := by[key]
	if compare == nil {
		return all
	}
	slices.SortStableFunc(all, func(a, b T) int {
		if down {
			a, b = b, a
		}
		return compare(a, b)
	})
	return all
}

// sortable lets a column's head sort the list: first the way that is asked for most, the
// largest of numbers and the newest of times, then the other, then not at all.
func (v *visit) sortable(c ui.Column, key string) ui.Column {
	first, second := key, "-"+key
	if c.End {
		first, second = second, first
	}
	now := v.q("sort")
	switch now {
	case first:
		c.SortHref = v.with("sort", second)
	case second:
		c.SortHref = v.with("sort", "")
	default:
		c.SortHref = v.with("sort", first)
	}
	switch now {
	case key:
		c.Sorted = "ascending"
	case "-" + key:
		c.Sorted = "descending"
	}
	return c
}

// byMoney orders amounts, each currency for itself.
func byMoney(a, b money.Amount) int {
	return cmp.Or(cmp.Compare(a.Currency, b.Currency), cmp.Compare(a.Minor, b.Minor))
}

func address(path string, q url.Values) string {
	if len(q) == 0 {
		return path
	}
	return path + "?" + q.Encode()
}

// onward makes the pager of a list that is read by cursor: n+1 rows were asked for.
func onward[T any](v *visit, all []T, n int, cursor func(T) string) ([]T, ui.Pager) {
	var p ui.Pager
	if len(all) > n {
		all = all[:n]
		p.Next = v.with("before", cursor(all[n-1]))
	}
	if v.q("before") != "" {
		p.First = v.with("before", "")
	}
	return all, p
}

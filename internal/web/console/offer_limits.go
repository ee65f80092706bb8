package console

import (
	"net/url"
	"strconv"
	"strings"

	"hufu/internal/catalogue"
	"hufu/internal/web/ui"
)

// maxLimitRows is how many purchase limits a form takes; the catalogue allows as many.
const maxLimitRows = 10

// limitField is a row of the form for a purchase limit. One without a number is none.
type limitField struct {
	Name                   string
	N                      int
	Max                    string
	Windows, Whose, Places []ui.Option
}

func limitName(i int) string { return "limits[" + strconv.Itoa(i) + "]" }

// setLimits puts limits into a form, with an empty row after them while there is room.
func setLimits(f url.Values, limits []catalogue.Limit) {
	for i, l := range limits {
		f.Set(limitName(i)+".max", strconv.FormatInt(l.Max, 10))
		f.Set(limitName(i)+".window", string(l.Window))
		f.Set(limitName(i)+".of", string(l.Of))
		f.Set(limitName(i)+".channel", l.Channel)
	}
	f.Set("limits", strconv.Itoa(min(len(limits)+1, maxLimitRows)))
}

// closeUp moves the limits of a form up over its empty rows, so that what is said of the
// n-th limit stands beside the n-th row.
func closeUp(f url.Values) {
	n, _ := whole(single(f, "limits"), 1, maxLimitRows)
	at := 0
	for i := range int(n) {
		if single(f, limitName(i)+".max") == "" {
			continue
		}
		for _, field := range []string{".max", ".window", ".of", ".channel"} {
			f.Set(limitName(at)+field, single(f, limitName(i)+field))
		}
		at++
	}
	for ; at < int(n); at++ {
		for _, field := range []string{".max", ".window", ".of", ".channel"} {
			f.Del(limitName(at) + field)
		}
	}
}

// readLimits reads the limits of a form. What isn't one of the choices is left to the
// catalogue, which refuses it.
func readLimits(f url.Values, bad func(field, code string, params ...string)) []catalogue.Limit {
	var out []catalogue.Limit
	n, _ := whole(single(f, "limits"), 1, maxLimitRows)
	for i := range int(n) {
		text := single(f, limitName(i)+".max")
		if text == "" {
			continue
		}
		l := catalogue.Limit{Window: catalogue.Window(single(f, limitName(i)+".window")), Of: catalogue.Whose(single(f, limitName(i)+".of")), Channel: single(f, limitName(i)+".channel")}
		var good bool
		if l.Max, good = whole(text, 1, 1_000_000_000); !good {
			bad(limitName(i)+".max", "catalogue.limit_max")
		}
		out = append(out, l)
	}
	return out
}

// limitFields are the rows of the form.
func (v *visit) limitFields(values map[string]string) []limitField {
	var out []limitField
	n, _ := whole(values["limits"], 1, maxLimitRows)
	for i := range max(int(n), 1) {
		name := limitName(i)
		f := limitField{Name: name, N: i + 1, Max: values[name+".max"]}
		for _, w := range catalogue.Windows {
			f.Windows = append(f.Windows, ui.Option{Value: string(w), Label: v.t("limit.window." + string(w)), Selected: values[name+".window"] == string(w)})
		}
		for _, of := range catalogue.Whoses {
			f.Whose = append(f.Whose, ui.Option{Value: string(of), Label: v.t("limit.of." + string(of)), Selected: values[name+".of"] == string(of)})
		}
		f.Places = []ui.Option{{Value: "", Label: v.t("limit.channel.all"), Selected: values[name+".channel"] == ""}}
		for _, c := range catalogue.Channels {
			f.Places = append(f.Places, ui.Option{Value: c, Label: v.t("limit.channel." + c), Selected: values[name+".channel"] == c})
		}
		out = append(out, f)
	}
	return out
}

// limitWords says what the limits are, "" when there are none.
func (v *visit) limitWords(limits []catalogue.Limit) string {
	var all []string
	for _, l := range limits {
		params := []string{"n", strconv.FormatInt(l.Max, 10)}
		if l.Channel != "" {
			params = append(params, "channel", v.t("limit.channel."+l.Channel))
		}
		all = append(all, v.t("limit."+l.Name(), params...))
	}
	return strings.Join(all, v.t("shop.comma"))
}

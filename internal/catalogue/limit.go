package catalogue

import (
	"slices"
	"strconv"
	"time"
)

// Limit is how many units of an offer may be bought (限购), apart from its stock.
//
// What was bought before a limit was first published does not count under it. A limit that
// is changed but for its Max goes on counting where it was.
type Limit struct {
	Max     int64
	Window  Window
	Channel string // where orders are placed that count; "" is everywhere
	Of      Whose
}

// Window is the time over which a limit counts.
type Window string

// The windows. Days and months are those of the calendar in Zone.
const (
	Ever  Window = "ever"
	Day   Window = "day"
	Month Window = "month"
)

// Windows are all there are.
var Windows = []Window{Ever, Day, Month}

// Whose purchases a limit counts.
type Whose string

// A person is whoever shares one thing known of them with an earlier buyer: the account, the
// phone number, the device.
const (
	Person    Whose = "person"
	Everybody Whose = "everybody"
)

// Whoses are all there are.
var Whoses = []Whose{Person, Everybody}

// Channels are where orders are placed.
var Channels = []string{"web", "api"}

// Zone is where days begin for a limit: UTC+8, which has no summer time.
var Zone = time.FixedZone("UTC+8", 8*3600)

const (
	maxLimits = 10
	maxUnits  = 1_000_000_000
)

// SameCount reports whether l and m count the same purchases.
func (l Limit) SameCount(m Limit) bool {
	return l.Window == m.Window && l.Channel == m.Channel && l.Of == m.Of
}

// Holds reports whether the limit counts orders of a channel.
func (l Limit) Holds(channel string) bool { return l.Channel == "" || l.Channel == channel }

// Name is the limit without its number, as messages are named: "person_day", or
// "everybody_ever_channel" for one of a channel.
func (l Limit) Name() string {
	name := string(l.Of) + "_" + string(l.Window)
	if l.Channel != "" {
		name += "_channel"
	}
	return name
}

// Scopes names, for an order of a moment by who is known under some names, what the limit
// counts it under: window, channel and who, of each one.
func (l Limit) Scopes(now time.Time, who []string) []string {
	window := map[Window]string{Ever: "ever", Day: now.In(Zone).Format("2006-01-02"), Month: now.In(Zone).Format("2006-01")}[l.Window]
	channel := l.Channel
	if channel == "" {
		channel = "*"
	}
	if l.Of == Everybody {
		return []string{window + "/" + channel + "/all"}
	}
	out := make([]string, len(who))
	for i, name := range who {
		out[i] = window + "/" + channel + "/" + name
	}
	return out
}

// Next is when the window after that of a moment begins; the zero time when there is none.
func (l Limit) Next(now time.Time) time.Time {
	y, m, d := now.In(Zone).Date()
	switch l.Window {
	case Day:
		return time.Date(y, m, d+1, 0, 0, 0, 0, Zone)
	case Month:
		return time.Date(y, m+1, 1, 0, 0, 0, 0, Zone)
	}
	return time.Time{}
}

// validateLimits checks the limits of a content.
func (c Content) validateLimits(need func(ok bool, field, code string, params ...string)) {
	need(len(c.Limits) <= maxLimits, "limits", "catalogue.too_many_limits", "limit", strconv.Itoa(maxLimits))
	for i, l := range c.Limits {
		path := "limits[" + strconv.Itoa(i) + "]"
		need(l.Max > 0 && l.Max <= maxUnits, path+".max", "catalogue.limit_max")
		need(slices.Contains(Windows, l.Window), path+".window", "catalogue.limit_window")
		need(l.Channel == "" || slices.Contains(Channels, l.Channel), path+".channel", "catalogue.limit_channel")
		need(slices.Contains(Whoses, l.Of), path+".of", "catalogue.limit_of")
		need(!slices.ContainsFunc(c.Limits[:i], l.SameCount), path, "catalogue.limit_twice")
	}
}

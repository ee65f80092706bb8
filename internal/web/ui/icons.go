package ui

import (
	"html/template"
	"maps"
	"slices"
)

// icons are drawn on a grid of 24 with a stroke of the text's colour.
var icons = map[string]string{
	"home":     `<path d="M4 11 12 4l8 7v8a1 1 0 0 1-1 1h-4v-6H9v6H5a1 1 0 0 1-1-1z"/>`,
	"ticket":   `<path d="M4 6h16a1 1 0 0 1 1 1v3a2 2 0 0 0 0 4v3a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1v-3a2 2 0 0 0 0-4V7a1 1 0 0 1 1-1z"/><path d="M15 7v1.5M15 11v2M15 15.5v1.5"/>`,
	"order":    `<path d="M6 3h12v18l-3-2-3 2-3-2-3 2z"/><path d="M9.5 8h5M9.5 12h5"/>`,
	"user":     `<circle cx="12" cy="8" r="4"/><path d="M4.5 20c.8-4 3.7-6 7.5-6s6.7 2 7.5 6"/>`,
	"users":    `<circle cx="9" cy="8.5" r="3.5"/><path d="M2.5 19.5c.6-3.4 3-5.2 6.5-5.2s5.9 1.8 6.5 5.2M15.5 5.3a3.5 3.5 0 0 1 0 6.4M17.8 14.8c2 .7 3.3 2.3 3.7 4.7"/>`,
	"search":   `<circle cx="11" cy="11" r="6.5"/><path d="m16 16 4.5 4.5"/>`,
	"menu":     `<path d="M4 7h16M4 12h16M4 17h16"/>`,
	"more":     `<circle cx="5" cy="12" r="1"/><circle cx="12" cy="12" r="1"/><circle cx="19" cy="12" r="1"/>`,
	"close":    `<path d="m6 6 12 12M18 6 6 18"/>`,
	"check":    `<path d="m5 12.5 4.5 4.5L19 7.5"/>`,
	"plus":     `<path d="M12 5v14M5 12h14"/>`,
	"minus":    `<path d="M5 12h14"/>`,
	"dot":      `<circle cx="12" cy="12" r="3" fill="currentColor" stroke="none"/>`,
	"info":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 11v5.5M12 7.5v.1"/>`,
	"warn":     `<path d="M12 4 2.8 19.5h18.4z"/><path d="M12 10v4.5M12 17v.1"/>`,
	"stop":     `<path d="M8.3 3.5h7.4l4.8 4.8v7.4l-4.8 4.8H8.3l-4.8-4.8V8.3z"/><path d="M12 8v5M12 16v.1"/>`,
	"ok":       `<circle cx="12" cy="12" r="8.5"/><path d="m8 12.3 2.8 2.8L16 9.5"/>`,
	"right":    `<path d="m9 5 7 7-7 7"/>`,
	"left":     `<path d="m15 5-7 7 7 7"/>`,
	"down":     `<path d="m5 9 7 7 7-7"/>`,
	"sort":     `<path d="M12 5v14M6 13l6 6 6-6"/>`,
	"copy":     `<rect x="8.5" y="8.5" width="12" height="12" rx="2"/><path d="M15.5 8.5v-3a2 2 0 0 0-2-2h-8a2 2 0 0 0-2 2v8a2 2 0 0 0 2 2h3"/>`,
	"eye":      `<path d="M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z"/><circle cx="12" cy="12" r="3"/>`,
	"lock":     `<rect x="4.5" y="10.5" width="15" height="10" rx="2"/><path d="M8 10.5V8a4 4 0 0 1 8 0v2.5M12 14.5v2"/>`,
	"key":      `<circle cx="8" cy="15.5" r="4.5"/><path d="m11.3 12.3 8.2-8.3M16 7.5l3 3M13.5 10l2 2"/>`,
	"gift":     `<path d="M4.5 11.5h15V20h-15zM3.5 7.5h17v4h-17zM12 7.5V20M12 7.5C9 7.5 7 6.3 7 4.8S9.8 2.5 12 7.5c2.2-5 5-4.2 5-2.7s-2 2.7-5 2.7z"/>`,
	"clock":    `<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.5 2"/>`,
	"calendar": `<rect x="3.5" y="5" width="17" height="15.5" rx="2"/><path d="M3.5 10h17M8 3v4M16 3v4"/>`,
	"refresh":  `<path d="M20 11.5A8 8 0 0 0 5.7 7L4 9M4 4.5V9h4.5M4 12.5A8 8 0 0 0 18.3 17l1.7-2M20 19.5V15h-4.5"/>`,
	"undo":     `<path d="M4 9h10.5a5.5 5.5 0 0 1 0 11H9M8 4.5 3.5 9 8 13.5"/>`,
	"shield":   `<path d="M12 3 4.5 6v5.5c0 4.5 3 7.7 7.5 9.5 4.5-1.8 7.5-5 7.5-9.5V6z"/><path d="m8.5 12 2.5 2.5 4.5-4.7"/>`,
	"bolt":     `<path d="M13.5 2.5 5 13.5h6l-1 8 8.5-11h-6z"/>`,
	"box":      `<path d="m12 3 8.5 4.5v9L12 21l-8.5-4.5v-9z"/><path d="M3.5 7.5 12 12l8.5-4.5M12 12v9"/>`,
	"layers":   `<path d="m12 3.5 9 5-9 5-9-5zM3.5 13l8.5 4.7 8.5-4.7M3.5 16.8l8.5 4.7 8.5-4.7"/>`,
	"tag":      `<path d="M3.5 4.5v7l9 9 7.5-7.5-9-9h-7z"/><circle cx="8" cy="9" r="1.3"/>`,
	"wallet":   `<path d="M4 7.5h15a1.5 1.5 0 0 1 1.5 1.5v9.5A1.5 1.5 0 0 1 19 20H5.5A2 2 0 0 1 3.5 18V6a2 2 0 0 1 2-2H17v3.5M16.5 13.8h.1"/>`,
	"chart":    `<path d="M4 4v16h16M8.5 16v-4M13 16V8M17.5 16v-6"/>`,
	"ledger":   `<path d="M5 3.5h12.5a1.5 1.5 0 0 1 1.5 1.5v15.5H7a2 2 0 0 1-2-2zM5 18.5a2 2 0 0 1 2-2h12M9 8h6M9 12h4"/>`,
	"bell":     `<path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5a2 2 0 0 0 4 0"/>`,
	"gear":     `<circle cx="12" cy="12" r="3"/><path d="M12 2.8v2.7M12 18.5v2.7M2.8 12h2.7M18.5 12h2.7M5.5 5.5l1.9 1.9M16.6 16.6l1.9 1.9M18.5 5.5l-1.9 1.9M7.4 16.6l-1.9 1.9"/>`,
	"sliders":  `<path d="M4 7h8.5M17.5 7H20M4 17h2.5M11.5 17H20"/><circle cx="15" cy="7" r="2.5"/><circle cx="9" cy="17" r="2.5"/>`,
	"upload":   `<path d="M12 16V4M7 9l5-5 5 5M4 15.5v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4"/>`,
	"download": `<path d="M12 4v12M7 11l5 5 5-5M4 15.5v4a1 1 0 0 0 1 1h14a1 1 0 0 0 1-1v-4"/>`,
	"file":     `<path d="M6 3h8.5L19 7.5V20a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1z"/><path d="M14 3v5h5M9 13h6M9 16.5h4"/>`,
	"filter":   `<path d="M3.5 5h17l-6.5 8v6l-4-2v-4z"/>`,
	"edit":     `<path d="m4 20 1-4.5L16.5 4a2 2 0 0 1 3 3L8.5 19z"/><path d="m14.5 6 3 3"/>`,
	"trash":    `<path d="M4 6.5h16M9 6V3.5h6V6M6 6.5 7 20.5h10l1-14M10 10.5v6M14 10.5v6"/>`,
	"link":     `<path d="M10 14a4 4 0 0 0 5.7 0l3.6-3.6a4 4 0 0 0-5.7-5.7L12.5 6M14 10a4 4 0 0 0-5.7 0l-3.6 3.6a4 4 0 0 0 5.7 5.7l1.1-1.2"/>`,
	"out":      `<path d="M13 4H5a1 1 0 0 0-1 1v14a1 1 0 0 0 1 1h8M16 8l4 4-4 4M20 12H9"/>`,
	"help":     `<circle cx="12" cy="12" r="8.5"/><path d="M9.5 9.5a2.5 2.5 0 1 1 3.6 2.3c-.8.4-1.1.9-1.1 1.7M12 16.5v.1"/>`,
	"sun":      `<circle cx="12" cy="12" r="4"/><path d="M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M18.4 5.6l-1.1 1.1M6.7 17.3l-1.1 1.1"/>`,
	"moon":     `<path d="M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z"/>`,
	"auto":     `<circle cx="12" cy="12" r="8.5"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/>`,
	"globe":    `<circle cx="12" cy="12" r="8.5"/><path d="M3.5 12h17M12 3.5c2.5 2.4 3.7 5.2 3.7 8.5s-1.2 6.1-3.7 8.5c-2.5-2.4-3.7-5.2-3.7-8.5S9.5 5.9 12 3.5z"/>`,
	"phone":    `<rect x="7" y="2.5" width="10" height="19" rx="2"/><path d="M11 18.5h2"/>`,
	"scan":     `<path d="M4 8.5V5a1 1 0 0 1 1-1h3.5M15.5 4H19a1 1 0 0 1 1 1v3.5M20 15.5V19a1 1 0 0 1-1 1h-3.5M8.5 20H5a1 1 0 0 1-1-1v-3.5M4 12h16"/>`,
	"qr":       `<path d="M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2.5v2.5H14zM17.5 17.5H20V20h-2.5z"/>`,
	"play":     `<path d="M7 4.5v15l12-7.5z"/>`,
	"pause":    `<path d="M8 5v14M16 5v14"/>`,
	"card":     `<rect x="3" y="5" width="18" height="14" rx="2"/><path d="M3 9.5h18M7 15h3"/>`,
	"refund":   `<path d="M4 9h12a4.5 4.5 0 0 1 0 9h-4M8 5 4 9l4 4M8 18h.1"/>`,
	"truck":    `<path d="M3 6h11v10.5H3zM14 10h4l3 3.5v3h-7"/><circle cx="7" cy="17.5" r="1.8"/><circle cx="17" cy="17.5" r="1.8"/>`,
	"pin":      `<path d="M12 21s-7-6-7-11a7 7 0 0 1 14 0c0 5-7 11-7 11z"/><circle cx="12" cy="10" r="2.5"/>`,
	"wifi":     `<path d="M2.5 9.5a14 14 0 0 1 19 0M6 13a9 9 0 0 1 12 0M9.5 16.5a4 4 0 0 1 5 0M3 3l18 18"/>`,
	"up":       `<path d="M12 19V6M6 11.5 12 5.5l6 6"/>`,
	"fall":     `<path d="M12 5v13M6 12.5l6 6 6-6"/>`,
	"print":    `<path d="M7 8V3.5h10V8M7 17H4a1 1 0 0 1-1-1V9a1 1 0 0 1 1-1h16a1 1 0 0 1 1 1v7a1 1 0 0 1-1 1h-3M7 14h10v6.5H7z"/>`,
	"star":     `<path d="m12 3.5 2.6 5.4 5.9.8-4.3 4.1 1 5.9L12 16.9l-5.2 2.8 1-5.9-4.3-4.1 5.9-.8z"/>`,
	"keyboard": `<rect x="2.5" y="6" width="19" height="12.5" rx="2"/><path d="M6 10h.1M9.5 10h.1M13 10h.1M16.5 10h.1M7.5 14.5h9"/>`,
}

// icon draws one of the icons; class adds to "icon" ("icon-16", "icon-24"). It says
// nothing to a screen reader: the words stand beside it.
func icon(name string, class ...string) (template.HTML, error) {
	body, ok := icons[name]
	if !ok {
		return "", errNoIcon(name)
	}
	c := "icon"
	for _, x := range class {
		c += " " + x
	}
	return template.HTML(`<svg class="` + template.HTMLEscapeString(c) + `" viewBox="0 0 24 24" aria-hidden="true">` + body + `</svg>`), nil
}

type errNoIcon string

func (e errNoIcon) Error() string { return "ui: there is no icon " + string(e) }

// IconNames lists the icons.
func IconNames() []string { return slices.Sorted(maps.Keys(icons)) }

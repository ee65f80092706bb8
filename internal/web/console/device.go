package console

import "strings"

// Signs of browsers and systems in a user agent. Most browsers also claim to be others, so
// the first that fits counts.
var (
	browsers = [][2]string{{"MicroMessenger/", "WeChat"}, {"Edg", "Edge"}, {"OPR/", "Opera"}, {"SamsungBrowser/", "Samsung Internet"}, {"Firefox/", "Firefox"}, {"FxiOS/", "Firefox"},
		{"CriOS/", "Chrome"}, {"Chrome/", "Chrome"}, {"Chromium/", "Chrome"}, {"Safari/", "Safari"}}
	systems = [][2]string{{"Windows", "Windows"}, {"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"HarmonyOS", "HarmonyOS"}, {"Mac OS X", "macOS"}, {"CrOS", "ChromeOS"}, {"Linux", "Linux"}}
)

// device is a user agent as people know it: "Chrome · Windows". One that isn't known is
// shown as it came, shortened.
func device(agent string) string {
	named := func(signs [][2]string) string {
		for _, s := range signs {
			if strings.Contains(agent, s[0]) {
				return s[1]
			}
		}
		return ""
	}
	browser, system := named(browsers), named(systems)
	switch {
	case browser == "" && system == "":
		return clip(agent, 60)
	case browser == "" || system == "":
		return browser + system
	}
	return browser + " · " + system
}

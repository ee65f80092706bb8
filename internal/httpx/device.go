package httpx

import "strings"

// DeviceKind tells from a browser's own words (User-Agent) what it runs on: "mobile",
// "tablet", "desktop", or "" where they don't say. It is coarse and believes what it is told: a
// rule that asks for it steers people, and keeps nobody out who wants in. Current iPads say
// that they are Macs, and count as desktops.
func DeviceKind(agent string) string {
	a := strings.ToLower(agent)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(a, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("ipad", "tablet", "kindle", "silk/"), has("android") && !has("mobile") && has("mozilla"):
		return "tablet"
	case has("iphone", "ipod", "mobile", "windows phone", "micromessenger", "okhttp", "cfnetwork", "dalvik"):
		return "mobile"
	case has("windows nt", "macintosh", "x11", "cros "):
		return "desktop"
	}
	return ""
}

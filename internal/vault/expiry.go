package vault

import (
	"strings"
	"time"
)

var forever = []string{"长期", "长期有效", "永久", "永久有效", "无", "不限", "never", "none", "permanent", "-", "/"}

var dayForms = []string{"2006-1-2", "2006/1/2", "2006.1.2", "2006年1月2日", "20060102"}

var timeForms = []string{" 15:04:05", " 15:04", "T15:04:05", "T15:04"}

// ParseExpiry reads the end of a code's life as suppliers write it: year first, with or
// without a time, or that there is none (a zero time). A date without a time is good to
// its last moment in the zone. A month without a day isn't taken, nor is a year before
// 2000 or after 2199, but for 9999, by which many systems say never.
func ParseExpiry(text string, zone *time.Location) (time.Time, bool) {
	text = strings.TrimSpace(text)
	for _, word := range forever {
		if strings.EqualFold(text, word) {
			return time.Time{}, true
		}
	}
	end := func(named, t time.Time) (time.Time, bool) {
		switch y := named.Year(); {
		case y == 9999:
			return time.Time{}, true
		case y < 2000 || y > 2199:
			return time.Time{}, false
		}
		return t.UTC(), true
	}
	for _, day := range dayForms {
		if t, err := time.ParseInLocation(day, text, zone); err == nil {
			return end(t, time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, zone))
		}
		for _, clock := range timeForms {
			if t, err := time.ParseInLocation(day+clock, text, zone); err == nil {
				return end(t, t)
			}
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return end(t, t)
	}
	return time.Time{}, false
}

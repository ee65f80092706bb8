package httpx

import (
	"regexp"
	"strings"
)

// ours are the segments of a path that come from us: ids, and words with at most a few
// digits, as in names of offers and files.
var ours = regexp.MustCompile(`^(?:[a-z]{3,5}_[0-9a-z]{26}|[a-z._-]*(?:[0-9]{1,3}[a-z._-]*)?)$`)

// LogPath is a path as a log may have it: somebody may have pasted a code or a telephone
// number into the address, and a log keeps neither (S14). What isn't ours is left out. The
// query is never part of it: it may hold the secret of a link.
func LogPath(path string) string {
	if len(path) > 512 {
		return "…"
	}
	parts := strings.Split(path, "/")
	for i, p := range parts {
		if !ours.MatchString(p) {
			parts[i] = "…"
		}
	}
	return strings.Join(parts, "/")
}

package web

// Patterns lists the patterns of all pages.
func Patterns() []string {
	var out []string
	for p := range new(Web).pages() {
		out = append(out, p)
	}
	return append(out, eventsPattern)
}

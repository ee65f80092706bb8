package web

// ForgetAsked lets the gateway be asked again at once.
func (s *Web) ForgetAsked() {
	s.asking.mu.Lock()
	defer s.asking.mu.Unlock()
	s.asking.at = nil
}

// Patterns lists the patterns of all pages.
func Patterns() []string {
	var out []string
	for p := range new(Web).pages() {
		out = append(out, p)
	}
	return append(out, eventsPattern)
}

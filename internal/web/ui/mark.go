package ui

import (
	"fmt"
	"html/template"
	"strings"
)

// The tiger tally: a tiger's face in two halves whose seam has a tenon on the left and its
// mortise on the right. Drawn on a grid of 48; the right half is its own so that it can move.
const (
	tallyLeft  = `<path class="half-l" fill="currentColor" fill-rule="evenodd" d="M23.2 8.6c-2.6-.3-4.9 0-7 .9C14.3 6.4 10.8 4.7 7 5.6c-1 4 0 8.1 2.3 10.9-2.3 3.2-3.4 6.9-3.2 10.7l-2.7 2.5 3.3.9c.7 3 2.2 5.7 4.3 7.8l-.8 3.6 4-1.3c2.6 1.8 5.7 2.8 9 2.9V36l2.6-1.6v-5.6l-2.6-1.6zM10.3 9.1c1.7.2 3 1 4 2.3-1.1.6-2 1.3-2.9 2.2-.9-1.3-1.3-2.9-1.1-4.5zM17 13.6c2-.7 4.1-1 6.2-.9v2.5c-2-.1-3.9 0-5.7.5zm1.3 5.6c1.6-.4 3.2-.5 4.9-.4v2.4c-1.4-.1-2.7 0-3.9.3zM11.6 23.5c2.8-.4 5.6.6 7.9 3-2.5 1.3-5.7 1.3-8.2-.2zm-1 9.2c2.3.8 4.6 1 7 .6l-.3 2.2c-1.9.2-3.7 0-5.4-.6zm3.3 5.3c1.7.4 3.4.4 5.1.1v1.9c-1.2-.1-2.4-.4-3.5-.8z"/>`
	tallyRight = `<path class="half-r" fill="currentColor" fill-rule="evenodd" d="M24.8 8.6c2.6-.3 4.9 0 7 .9C33.7 6.4 37.2 4.7 41 5.6c1 4 0 8.1-2.3 10.9 2.3 3.2 3.4 6.9 3.2 10.7l2.7 2.5-3.3.9c-.7 3-2.2 5.7-4.3 7.8l.8 3.6-4-1.3c-2.6 1.8-5.7 2.8-9 2.9v-6.8l2.6-1.6v-7.2l-2.6-1.6zM37.7 9.1c-1.7.2-3 1-4 2.3 1.1.6 2 1.3 2.9 2.2.9-1.3 1.3-2.9 1.1-4.5zM31 13.6c-2-.7-4.1-1-6.2-.9v2.5c2-.1 3.9 0 5.7.5zm-1.3 5.6c-1.6-.4-3.2-.5-4.9-.4v2.4c1.4-.1 2.7 0 3.9.3zM36.4 23.5c-2.8-.4-5.6.6-7.9 3 2.5 1.3 5.7 1.3 8.2-.2zm1 9.2c-2.3.8-4.6 1-7 .6l.3 2.2c1.9.2 3.7 0 5.4-.6zm-3.3 5.3c-1.7.4-3.4.4-5.1.1v1.9c1.2-.1 2.4-.4 3.5-.8z"/>`
	tallySeam  = `<path class="seam" fill="none" stroke="var(--gold)" stroke-width="1.5" d="M24 4v22.8l2 1.4v6.6L24 36.2V48"/>`
)

// tally draws the mark in the text's colour with the right half in gold. With the class
// "moment" around it its halves close.
func tally(class ...string) template.HTML {
	return template.HTML(`<svg class="` + template.HTMLEscapeString(strings.Join(append([]string{"tally"}, class...), " ")) +
		`" viewBox="0 0 48 48" aria-hidden="true">` + tallyLeft + tallyRight + tallySeam + `</svg>`)
}

// emptyArt draws the picture of an empty state.
func emptyArt(name string) (template.HTML, error) {
	if name == "tally" {
		return tally("empty-art"), nil
	}
	body, ok := arts[name]
	if !ok {
		return "", fmt.Errorf("ui: there is no art %q", name)
	}
	return template.HTML(`<svg class="empty-art" viewBox="0 0 96 96" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">` + body + `</svg>`), nil
}

// arts share one ground: a soft disc, a subject in bronze, one touch of gold.
var arts = map[string]string{
	"ticket": artDisc + `<g transform="rotate(-8 48 48)"><path fill="var(--surface)" d="M20 34h56a3 3 0 0 1 3 3v6a5 5 0 0 0 0 10v6a3 3 0 0 1-3 3H20a3 3 0 0 1-3-3v-6a5 5 0 0 0 0-10v-6a3 3 0 0 1 3-3z"/><path stroke-dasharray="3 5" d="M60 37v22"/><path d="M27 44h20M27 52h12"/><path stroke="var(--gold)" d="m66 45 2 3-2 3 2 3"/></g>`,
	"box":    artDisc + `<path fill="var(--surface)" d="m48 26 24 12v24L48 74 24 62V38z"/><path d="m24 38 24 12 24-12M48 50v24"/><path stroke="var(--gold)" d="m36 32 24 12v8"/>`,
	"search": artDisc + `<circle cx="44" cy="44" r="17" fill="var(--surface)"/><path stroke-width="4" d="m57 57 14 14"/><path stroke="var(--gold)" d="M36 42a9 9 0 0 1 8-7"/>`,
	"lock":   artDisc + `<rect x="28" y="44" width="40" height="28" rx="5" fill="var(--surface)"/><path d="M36 44v-7a12 12 0 0 1 24 0v7"/><path stroke="var(--gold)" stroke-width="3" d="M48 55v7"/>`,
	"bell":   artDisc + `<path fill="var(--surface)" d="M32 62V46a16 16 0 0 1 32 0v16l5 5H27z"/><path d="M43 73a5 5 0 0 0 10 0"/><path stroke="var(--gold)" d="M48 24v-5M66 30l4-4M30 30l-4-4"/>`,
	"broken": artDisc + `<path fill="var(--surface)" d="M46 22c-14 1-24 11-24 26s10 25 24 26l-5-12 7-9-8-9 7-10z"/><path fill="var(--surface)" d="M55 23c12 3 20 12 20 25S67 70 55 73l-5-11 7-9-8-9 7-10z"/><path stroke="var(--gold)" d="M80 20l-4 5M84 30l-6 1"/>`,
	"wifi":   artDisc + `<path d="M26 44a32 32 0 0 1 44 0M34 53a20 20 0 0 1 28 0M41 62a10 10 0 0 1 14 0"/><circle cx="48" cy="70" r="2" fill="currentColor"/><path stroke="var(--gold)" stroke-width="3" d="m28 28 40 44"/>`,
}

const artDisc = `<circle cx="48" cy="48" r="44" fill="var(--accent-soft)" stroke="none"/>`

// shareBar draws parts as one bar, each as wide as its share.
func shareBar(parts []Part) template.HTML {
	var total int64
	for _, p := range parts {
		total += max(p.Value, 0)
	}
	var b strings.Builder
	b.WriteString(`<svg class="sharebar" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true"><rect width="1000" height="10" fill="var(--sunken)"/>`)
	x := 0.0
	for i, p := range parts {
		if p.Value <= 0 {
			continue
		}
		w := float64(p.Value) / float64(total) * 1000
		fmt.Fprintf(&b, `<rect class="fill-%d" x="%.2f" width="%.2f" height="10"/>`, i%6+1, x, max(w-2, 1))
		x += w
	}
	b.WriteString(`</svg>`)
	return template.HTML(b.String())
}

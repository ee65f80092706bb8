package catalogue

import (
	"slices"
	"strconv"
	"strings"

	"hufu/internal/money"
)

// maxParts is how many different benefits an offer may give; see Content.Validate.
const maxParts = 50

// flatten works out what each offer gives, with the parts of the offers in it.
func (f *File) flatten() {
	byslug := map[string]int{}
	for i := range f.Offers {
		if _, twice := byslug[f.Offers[i].Offer.Slug]; !twice {
			byslug[f.Offers[i].Offer.Slug] = i
		}
	}
	w := flattening{File: f, byslug: byslug, stage: make([]byte, len(f.Offers))}
	for i := range f.Offers {
		w.offer(i)
	}
}

const (
	untouched = iota
	opened
	closed
)

type flattening struct {
	*File
	byslug map[string]int
	stage  []byte // of each offer: untouched, opened, closed
	path   []int  // the opened ones, each a part of the one before
}

func (w *flattening) offer(i int) {
	o := &w.Offers[i]
	if w.stage[i] != untouched {
		return
	}
	w.stage[i] = opened
	w.path = append(w.path, i)
	for k, p := range o.parts {
		at := join(o.Path, "parts["+strconv.Itoa(k)+"]")
		inner, found := w.byslug[p.offer]
		wrong := ""
		switch {
		case (p.benefit == "") == (p.offer == ""):
			o.broken = true // told when it was read
		case p.benefit != "":
			o.Gives = append(o.Gives, Give{Benefit: p.benefit, Part: p.part, part: k})
		case !found:
			wrong = "catalogue.file_no_offer"
		case w.stage[inner] == opened:
			o.broken = true
			w.blame(at+".offer", "catalogue.file_cycle", "cycle", w.cycle(inner))
		case w.Offers[inner].Stock != "":
			wrong = "catalogue.file_part_stock"
		case len(w.Offers[inner].Offer.Draft.Choices) > 0:
			wrong = "catalogue.file_part_choices"
		default:
			w.offer(inner)
			o.broken = o.broken || w.Offers[inner].broken
			if w.Offers[inner].nests() && !w.Offers[inner].broken {
				wrong = "catalogue.file_nested"
			}
			for _, g := range w.Offers[inner].Gives {
				g.Part.Quantity, g.Part.Share, g.part = g.Part.Quantity*p.part.Quantity, money.Amount{}, k
				o.add(g)
			}
		}
		if wrong != "" {
			o.broken = true
			w.blame(at+".offer", wrong, "name", clip(p.offer))
		}
		if len(o.Gives) > maxParts {
			break
		}
	}
	w.path = w.path[:len(w.path)-1]
	w.stage[i] = closed
}

// nests reports whether an offer has another in it.
func (o *FileOffer) nests() bool {
	return slices.ContainsFunc(o.parts, func(p filePart) bool { return p.offer != "" })
}

// add gives what an offer within gives, beside what is given of the same in the same way.
// What is out of all bounds stays so, without overflow.
func (o *FileOffer) add(more Give) {
	const bound = 1_000_000
	for i := range o.Gives {
		if g := &o.Gives[i]; g.Benefit == more.Benefit && g.Part.Choice == "" && g.Part.Validity.same(more.Part.Validity) && g.Part.Release.same(more.Part.Release) {
			g.Part.Quantity = min(g.Part.Quantity+more.Part.Quantity, bound)
			return
		}
	}
	more.Part.Quantity = min(more.Part.Quantity, bound)
	o.Gives = append(o.Gives, more)
}

// cycle writes the way from an offer being worked on back to itself: "a → b → a".
func (w *flattening) cycle(from int) string {
	var names []string
	for _, i := range w.path[slices.Index(w.path, from):] {
		names = append(names, clip(w.Offers[i].Offer.Slug))
	}
	if len(names) > 8 {
		names = append(append(names[:4:4], "…"), names[len(names)-3:]...)
	}
	return strings.Join(append(names, clip(w.Offers[from].Offer.Slug)), " → ")
}

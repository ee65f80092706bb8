package catalogue

import (
	"regexp"
	"slices"
	"strings"
)

// AllotRef is what the shop knows of a channel's allotment (配额).
type AllotRef struct {
	Size int64
	Out  int64 // reserved or sold of it
	Open bool
}

// maxChannels is how many channels a stock may be allotted to by a file.
const maxChannels = 100

var channelForm = regexp.MustCompile(`^[A-Za-z0-9._-]{1,40}$`)

// allotments reads how many units each channel sells of a stock.
func (r *fileReader) allotments(o object, s *FileStock) {
	n := o.get("allotments")
	if n == nil {
		return
	}
	at := o.at("allotments")
	if n.kind != '{' || len(n.members) > maxChannels {
		r.blame(at, "catalogue.file_allotments")
		return
	}
	if s.Kind != "counted" {
		r.blame(at, "catalogue.file_allotment_counted")
		return
	}
	all := r.open(at, n)
	s.Allotments = map[string]int64{}
	for _, m := range n.members {
		if !channelForm.MatchString(m.name) {
			r.blame(all.at(clip(m.name)), "catalogue.file_channel", "name", clip(m.name))
			continue
		}
		s.Allotments[m.name] = all.whole(m.name, 0, 1e12)
	}
}

// allots says what to do with the allotments of a stock: whether any changes. None is made smaller than what is
// reserved or sold of it, and all together never more than the units there are.
func (f *File) allots(s FileStock, was *StockRef) (changes bool) {
	free := s.Units
	known := map[string]AllotRef{}
	if was != nil {
		free, known = was.Free+s.ToReceive(*was), was.Allotments
	}
	at := s.Path + ".allotments"
	if f.found.below[at] {
		return false
	}
	for _, channel := range sortedKeys(s.Allotments) {
		a, want := known[channel], s.Allotments[channel]
		if want < a.Out {
			f.blame(at, "catalogue.file_allotment_sold", "channel", channel, "out", decimal(a.Out), "n", decimal(want))
			return false
		}
		changes = changes || !a.Open || want != a.Size
		free -= want - a.Size
	}
	if free < 0 && changes {
		f.blame(at, "catalogue.file_allotment_few", "n", decimal(-free))
	}
	return changes
}

// AllotOrder lists the channels of a stock in the order that they are to be brought to
// what the file says: those that give units before those that get some.
func (s FileStock) AllotOrder(was StockRef) []string {
	channels := sortedKeys(s.Allotments)
	grows := func(c string) int {
		if s.Allotments[c] > was.Allotments[c].Size {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(channels, func(a, b string) int { return grows(a) - grows(b) })
	return slices.DeleteFunc(channels, func(c string) bool {
		return was.Allotments[c].Open && was.Allotments[c].Size == s.Allotments[c]
	})
}

// counts makes an object of a cell such as "api: 50; web: 100". What isn't of that form stays a
// text, for the reader of the file to tell.
func counts(cell string, at int) *node {
	out := &node{kind: '{', at: at}
	for each := range strings.FieldsFuncSeq(cell, func(r rune) bool { return strings.ContainsRune(";,；，\n", r) }) {
		i := strings.IndexAny(each, ":：=")
		if i < 0 {
			return &node{kind: '"', text: cell, at: at}
		}
		name, n := strings.TrimSpace(each[:i]), strings.TrimSpace(strings.TrimLeft(each[i:], ":：="))
		out.members = append(out.members, member{name: name, at: at, value: &node{kind: '0', text: n, at: at}})
	}
	return out
}

// written is the cell that counts reads.
func written(n *node) string {
	var all []string
	for _, m := range n.members {
		all = append(all, m.name+": "+m.value.text)
	}
	return strings.Join(all, "; ")
}

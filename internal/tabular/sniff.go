package tabular

import "bytes"

const sniffLines = 100

// sniff tells the delimiter from the beginning of a file: the one that splits nearly all
// lines into the same number of cells. Candidates stand by how rarely they occur within
// cells. Spaces count only if they make two cells of every line, as "account password";
// more may as well be one code written in groups.
func sniff(d *lineDecoder, head []byte, end byte, more bool) Delimiter {
	lines := bytes.Split(head, []byte{end})
	last := len(lines) - 1
	if (more && last > 0) || (last > 1 && len(lines[last]) > 0) {
		lines = lines[:last] // cut somewhere, or maybe
	}
	kept := make([][]byte, 0, sniffLines)
	for _, l := range lines {
		if l = bytes.TrimRight(l, "\r"); len(bytes.TrimSpace(l)) == 0 {
			continue
		}
		if kept = append(kept, bytes.Clone(d.decode(l))); len(kept) == sniffLines {
			break
		}
	}
	if len(kept) == 0 {
		return WholeLine
	}
	for _, c := range []Delimiter{FourDashes, Tab, Comma, Semicolon, Bar, Spaces} {
		if agree(c, kept) {
			return c
		}
	}
	if kept[0][0] == '"' {
		return Comma
	}
	return WholeLine
}

func agree(c Delimiter, lines [][]byte) bool {
	t := textRows{delim: c}
	counts := map[int]int{}
	total := 0
	quoted := false
	for _, l := range lines {
		if quoted = t.split(l, quoted); quoted {
			continue
		}
		counts[len(t.ends)]++
		total++
		t.text, t.ends = t.text[:0], t.ends[:0]
	}
	if c == Spaces {
		return total > 0 && counts[2] == total
	}
	for cells, n := range counts {
		if cells > 1 && n*10 >= total*8 {
			return true
		}
	}
	return false
}

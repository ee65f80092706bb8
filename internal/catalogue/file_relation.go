package catalogue

import (
	"time"

	"hufu/internal/fault"
)

// FileRelation is a relation as the file has it.
type FileRelation struct {
	Path     string
	Relation Relation // without Version
}

func (r *fileReader) relation(o object) {
	rel := Relation{Key: o.text("key"), Kind: RelationKind(o.text("kind")), Name: r.words(o, "name"), From: r.side(o, "from"), To: r.side(o, "to"), Ever: o.flag("ever"), Severity: Severity(o.text("severity"))}
	if rel.Severity == "" {
		rel.Severity = Inform
	}
	if rel.Kind.Mutual() && rel.To == rel.From {
		rel.To = Side{}
	}
	r.Relations = append(r.Relations, FileRelation{Path: o.path, Relation: rel})
}

func (r *fileReader) side(o object, field string) Side {
	n := o.get(field)
	if n == nil {
		return Side{}
	}
	s := r.open(o.at(field), n, "provider", "kind", "tier", "slug")
	return Side{Provider: s.text("provider"), Kind: s.text("kind"), Tier: s.text("tier"), Slug: s.text("slug")}
}

// DecideRelation says what to do with relation i, of which the shop has was, if anything, and
// the relation to save.
func (f *File) DecideRelation(i int, was *Relation) (Relation, FileRow) {
	fr := f.Relations[i]
	r := fr.Relation
	wrong := fault.New(fault.Invalid, "catalogue.content")
	r.Validate(fr.Path, wrong)
	f.found.take(wrong, func(path string) string { return path })
	var fields []string
	if was != nil {
		r.Version = was.Version
		fields = differing(relationParts(*was), relationParts(r))
	}
	row := f.row("relation", r.Key, fr.Path, was != nil, fields)
	if row.Version = r.Version; row.Change == Created || row.Change == Changed {
		row.Version++
	}
	return r, row
}

func relationParts(r Relation) []named {
	return []named{{"kind", r.Kind}, {"name", r.Name}, {"from", r.From}, {"to", r.To}, {"ever", r.Ever}, {"severity", r.Severity}}
}

// judgeParts reports parts of an offer that can't be sold together.
func (f *File) judgeParts(fo FileOffer, c Content, relations []Relation, now time.Time) {
	if err := c.inner(relations, now); err != nil {
		f.found.take(fault.From(err), fo.place)
	}
}

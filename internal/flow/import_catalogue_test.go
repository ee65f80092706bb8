package flow

import (
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/audit"
	"hufu/internal/catalogue"
	"hufu/internal/clock"
	"hufu/internal/db"
	"hufu/internal/db/dbtest"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/inventory"
)

const smallCatalogue = `{
  "format": "hufu-catalogue/1",
  "texts": {"t": {"zh": "文字", "en": "Text"}},
  "providers": [{"key": "tv", "name": {"zh": "电视", "en": "TV"}}],
  "stocks": [
    {"name": "month", "kind": "codes", "low_mark": 10},
    {"name": "seats", "kind": "counted", "units": 200}
  ],
  "benefits": [
    {"slug": "month", "kind": "membership", "provider": "tv", "name": {"zh": "月卡", "en": "Month"},
     "disclosure": {"account_type": {"use": "t"}, "scope": {"use": "t"}, "devices": {"use": "t"}, "validity": {"use": "t"}, "how_to_use": {"use": "t"}, "refund": {"use": "t"}},
     "attributes": {"days": "31"}, "coded": true, "stock": "month"},
    {"slug": "seat", "kind": "voucher", "provider": "tv", "name": {"zh": "座位", "en": "Seat"}, "stock": "seats",
     "disclosure": {"account_type": {"use": "t"}, "scope": {"use": "t"}, "devices": {"use": "t"}, "validity": {"use": "t"}, "how_to_use": {"use": "t"}, "refund": {"use": "t"}}}
  ],
  "offers": [
    {"slug": "card", "state": "live", "category": "video", "title": {"zh": "月卡", "en": "Month card"}, "price": "19.90", "list_price": "25", "parts": [{"benefit": "month"}]},
    {"slug": "soon", "state": "scheduled", "starts_at": "2027-02-06T00:00:00+08:00", "category": "cinema", "title": {"zh": "首映", "en": "Premiere"}, "price": "88", "parts": [{"benefit": "seat"}]},
    {"slug": "rest", "state": "paused", "category": "video", "title": {"zh": "暂停", "en": "Paused"}, "price": "1", "parts": [{"offer": "card", "quantity": 3}, {"benefit": "seat"}]},
    {"slug": "idea", "state": "draft", "category": "video", "title": {"zh": "草稿", "en": "Draft"}, "price": "1", "parts": [{"benefit": "seat"}]}
  ]
}`

// importRig is a shop that only has a catalogue.
type importRig struct {
	t *testing.T
	f *Flows
	c *clock.Fake
}

func eachImport(t *testing.T, fn func(r importRig)) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		c := clock.NewFake(time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC))
		fn(importRig{t, &Flows{Islands: Islands{Catalogue: catalogue.NewService(), Inventory: inventory.NewService()}, DB: d, Clock: c}, c})
	})
}

// load imports a file and checks how many items it creates, changes and leaves alone.
func (r importRig) load(data string, dry bool, created, changed, unchanged int) CatalogueImport {
	r.t.Helper()
	got, err := r.f.ImportCatalogue(r.t.Context(), []byte(data), ImportOptions{DryRun: dry, By: "pty_1", Origin: "127.0.0.1", Source: "shop.json"})
	if err != nil || len(got.Problems) > 0 {
		r.t.Fatal(err, got.Problems)
	}
	if got.Count(catalogue.Created) != created || got.Count(catalogue.Changed) != changed || got.Count(catalogue.Unchanged) != unchanged || len(got.Rows) != created+changed+unchanged {
		r.t.Errorf("want %d created, %d changed, %d unchanged: %+v", created, changed, unchanged, got.Rows)
	}
	if (got.ID == "") != (dry || created+changed == 0) {
		r.t.Errorf("import %q", got.ID)
	}
	return got
}

// shop is what there is, as far as an import can change it.
type shop struct {
	offers   map[string]catalogue.Offer
	versions int
	benefits map[string]catalogue.Benefit
	stocks   map[string]*inventory.Stock
	audits   []audit.Row
}

func (r importRig) shop() shop {
	r.t.Helper()
	s := shop{offers: map[string]catalogue.Offer{}}
	err := r.f.DB.View(r.t.Context(), func(tx *db.Tx) error {
		all, err := r.f.Catalogue.Offers(r.t.Context(), tx, true)
		if err != nil {
			return err
		}
		for _, o := range all {
			s.offers[o.Slug] = o
			versions, err := r.f.Catalogue.VersionsOf(r.t.Context(), tx, o.ID)
			if err != nil {
				return err
			}
			s.versions += len(versions)
		}
		if s.benefits, err = r.f.Catalogue.BenefitsBySlug(r.t.Context(), tx, []string{"month", "seat"}); err != nil {
			return err
		}
		if s.stocks, err = r.f.Inventory.ByName(r.t.Context(), tx, []string{"month", "seats"}); err != nil {
			return err
		}
		s.audits, err = audit.List(r.t.Context(), tx, 0, 10)
		return err
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

func changes(t *testing.T, old, now string) string {
	t.Helper()
	if !strings.Contains(smallCatalogue, old) {
		t.Fatalf("the file has no %s", old)
	}
	return strings.Replace(smallCatalogue, old, now, 1)
}

func TestImportingTwiceChangesNothing(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(smallCatalogue, true, 8, 0, 0)
		if s := r.shop(); len(s.offers)+len(s.benefits)+len(s.stocks)+len(s.audits) != 0 {
			t.Fatalf("a dry run left %+v", s)
		}
		first := r.load(smallCatalogue, false, 8, 0, 0)
		s := r.shop()
		for slug, want := range map[string]catalogue.State{"card": catalogue.Live, "soon": catalogue.Scheduled, "rest": catalogue.Paused, "idea": catalogue.Draft} {
			o := s.offers[slug]
			if o.State != want || (o.Version == 1) != (want != catalogue.Draft) {
				t.Errorf("%s is %s in version %d", slug, o.State, o.Version)
			}
		}
		if rest := s.offers["rest"].Draft.Parts; len(rest) != 2 || rest[0].Quantity != 3 || rest[0].Benefit.ID != s.benefits["month"].ID || rest[1].Benefit.Stock != s.stocks["seats"].ID {
			t.Errorf("rest gives %+v", rest)
		}
		if seats, month := s.stocks["seats"], s.stocks["month"]; seats.Received != 200 || seats.Available != 200 || month.Received != 0 || month.LowMark != 10 || !s.benefits["month"].Coded {
			t.Errorf("stocks %+v %+v", seats, month)
		}
		if a := s.audits; len(a) != 1 || a[0].Action != "catalogue.import" || a[0].Actor != "pty_1" || a[0].Subject != string(first.ID) || a[0].Data["source"] != "shop.json" || a[0].Data["created"] != "8" || a[0].Data["sha256"] != first.Sum {
			t.Errorf("audit %+v", a)
		}
		r.c.Advance(90 * 24 * time.Hour) // the scheduled one has begun meanwhile
		r.load(smallCatalogue, true, 0, 0, 8)
		r.load(smallCatalogue, false, 0, 0, 8)
		after := r.shop()
		if after.versions != s.versions || after.offers["card"].Revision != s.offers["card"].Revision || len(after.audits) != 1 {
			t.Errorf("the second import changed something: %+v", after)
		}
	})
}

func TestAnImportedChangeIsANewVersion(t *testing.T) {
	for name, c := range map[string]struct {
		old, now string
		changed  map[string]string // what changes, and in which fields
		versions int               // that are new
	}{
		"price":              {`"19.90"`, `"18.80"`, map[string]string{"card": "price"}, 1},
		"state":              {`"paused"`, `"live"`, map[string]string{"rest": "state"}, 0},
		"start":              {`2027-02-06T00:00:00+08:00`, `2027-02-07T00:00:00+08:00`, map[string]string{"soon": "starts_at"}, 0},
		"to draft":           {`"scheduled"`, `"draft"`, map[string]string{"soon": "state"}, 0},
		"draft":              {`"en": "Draft"`, `"en": "Idea"`, map[string]string{"idea": "title"}, 0},
		"out of draft":       {`"draft"`, `"live"`, map[string]string{"idea": "version state"}, 1},
		"benefit":            {`"en": "Month"}`, `"en": "A month"}`, map[string]string{"month": "name", "card": "parts", "rest": "parts"}, 2},
		"a text of all":      {`"en": "Text"`, `"en": "Other"`, map[string]string{"month": "disclosure", "seat": "disclosure", "card": "parts", "soon": "parts", "rest": "parts", "idea": "parts"}, 3},
		"low mark":           {`"low_mark": 10`, `"low_mark": 5`, map[string]string{"month": "low_mark"}, 0},
		"more units":         {`"units": 200`, `"units": 250`, map[string]string{"seats": "units"}, 0},
		"fewer units":        {`"units": 200`, `"units": 20`, map[string]string{}, 0},
		"order of the shelf": {`"draft",`, `"draft", "position": 1,`, map[string]string{"idea": "position"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			file := changes(t, c.old, c.now)
			eachImport(t, func(r importRig) {
				t := r.t
				r.load(smallCatalogue, false, 8, 0, 0)
				before := r.shop()
				dry := r.load(file, true, 0, len(c.changed), 8-len(c.changed))
				got := r.load(file, false, 0, len(c.changed), 8-len(c.changed))
				for i, row := range got.Rows {
					if want, fields := c.changed[row.Name], strings.Join(row.Fields, " "); row.Change == catalogue.Changed && fields != want {
						t.Errorf("%s changes in %q, want %q", row.Name, fields, want)
					}
					if d := dry.Rows[i]; d.Change != row.Change || d.Version != row.Version || d.Line != row.Line {
						t.Errorf("the dry run said %+v, the import did %+v", d, row)
					}
				}
				after := r.shop()
				if n := after.versions - before.versions; n != c.versions {
					t.Errorf("%d new versions, want %d", n, c.versions)
				}
				if len(after.audits) != len(before.audits)+min(1, len(c.changed)) {
					t.Errorf("audit %+v", after.audits)
				}
				r.load(file, false, 0, 0, 8)
			})
		})
	}
}

func TestAFileWithAProblemChangesNothing(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		for name, c := range map[string]struct{ file, field string }{
			"last offer": {changes(t, `"price": "1", "parts": [{"benefit": "seat"}]`, `"price": "1", "parts": [{"benefit": "sofa"}]`), "line 20, column 135, offers[3].parts[0].benefit"},
			"cycle":      {changes(t, `"parts": [{"benefit": "month"}]`, `"parts": [{"offer": "rest"}]`), "line 19, column 135, offers[2].parts[0].offer"},
			"no file":    {"", "line 1, column 1"},
		} {
			got, err := r.f.ImportCatalogue(t.Context(), []byte(c.file), ImportOptions{})
			f := fault.From(err)
			if f == nil || f.Code != "catalogue.file" || f.Kind != fault.Invalid || len(f.Fields) != 1 || len(got.Problems) != 1 || f.Params["count"] != "1" {
				t.Errorf("%s: %v", name, err)
			} else if f.Fields[0].Path != c.field {
				t.Errorf("%s: at %s", name, f.Fields[0].Path)
			}
			dry, err := r.f.ImportCatalogue(t.Context(), []byte(c.file), ImportOptions{DryRun: true})
			if err != nil || len(dry.Problems) != 1 || len(dry.Rows) != len(got.Rows) {
				t.Errorf("%s, dry: %v %+v", name, err, dry)
			}
		}
		if s := r.shop(); len(s.offers)+len(s.benefits)+len(s.stocks)+len(s.audits) != 0 {
			t.Errorf("something was left: %+v", s)
		}
	})
}

func TestAFileMaySpeakOfWhatTheShopHas(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		r.load(smallCatalogue, false, 8, 0, 0)
		more := `{"format": "hufu-catalogue/1", "offers": [
		  {"slug": "pair", "state": "live", "category": "cinema", "title": {"zh": "双人", "en": "Pair"}, "price": "99", "parts": [{"benefit": "seat", "quantity": 2}]},
		  {"slug": "card", "category": "video", "title": {"zh": "月卡", "en": "Month card"}, "price": "15", "list_price": "25", "parts": [{"benefit": "month"}], "position": 10}]}`
		r.load(more, false, 1, 1, 0)
		s := r.shop()
		if need := s.offers["pair"].Draft.Supplies(nil, time.Now()); len(need) != 1 || need[s.stocks["seats"].ID] != 2 {
			t.Errorf("a pair takes %v", need)
		}
		if card := s.offers["card"]; card.State != catalogue.Live || card.Version != 2 || card.Draft.Price.Minor != 1500 {
			t.Errorf("the card: %+v", card)
		}
		other := changes(t, `"kind": "counted", "units": 200`, `"kind": "codes"`)
		_, err := r.f.ImportCatalogue(t.Context(), []byte(other), ImportOptions{})
		if f := fault.From(err); f == nil || f.Fields[0].Code != "catalogue.file_stock_other" {
			t.Errorf("another kind of stock: %v", err)
		}
		r.load(changes(t, `"live"`, `"draft"`), false, 0, 1, 7) // price and state
		if card := r.shop().offers["card"]; card.State != catalogue.Draft || card.Version != 2 || card.Draft.Price.Minor != 1990 {
			t.Errorf("back to a draft: %+v", card)
		}
		var versions []id.OfferVersion
		for _, o := range s.offers {
			versions = append(versions, o.VersionID)
		}
		err = r.f.DB.View(t.Context(), func(tx *db.Tx) error {
			found, err := r.f.Catalogue.Versions(t.Context(), tx, versions)
			if len(found) != 4 {
				t.Errorf("%d versions are sold", len(found))
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	})
}

func TestTwoImportsAtOnceMakeOneShop(t *testing.T) {
	eachImport(t, func(r importRig) {
		t := r.t
		var all sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			all.Go(func() {
				_, errs[i] = r.f.ImportCatalogue(t.Context(), []byte(smallCatalogue), ImportOptions{})
			})
		}
		all.Wait()
		done := 0
		for _, err := range errs {
			if err == nil {
				done++
			} else if fault.CodeOf(err) != "catalogue.edited" {
				t.Error(err)
			}
		}
		if s := r.shop(); done == 0 || len(s.offers) != 4 || s.versions != 3 || s.stocks["seats"].Received != 200 || len(s.audits) != 1 {
			t.Errorf("%d imports, %+v", done, s)
		}
		r.load(smallCatalogue, false, 0, 0, 8)
	})
}

package catalogue

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"hufu/internal/i18n"
	"hufu/internal/id"
	"hufu/internal/money"
	"hufu/internal/rule"
)

// aBundle is a content in which every list has an item.
func aBundle() Content {
	c := aContent()
	c.Parts[0].Choice = "month"
	c.Choices = []Choice{{Key: "month", Name: both("Each month"), Pick: 1}}
	c.Limits = []Limit{{Max: 1, Window: Ever, Of: Person}}
	c.Rules = []Issuing{{Name: both("New"), Source: rule.Source{Text: "customer.orders == 0"}}}
	return c
}

// spoil changes one leaf after the other of what v holds, calls check with the way there, and
// puts it back.
func spoil(v reflect.Value, path string, check func(path string)) {
	set := func(to any) {
		was := reflect.ValueOf(v.Interface())
		v.Set(reflect.ValueOf(to).Convert(v.Type()))
		check(path)
		v.Set(was)
	}
	switch x := v.Interface().(type) {
	case money.Amount:
		set(money.Of(x.Minor+1, money.CNY))
		return
	case time.Time:
		set(x.Add(time.Hour))
		return
	case map[string]string:
		set(map[string]string{"days": "366"})
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			spoil(v.Field(i), path+"."+v.Type().Field(i).Name, check)
		}
	case reflect.Slice:
		for i := range v.Len() {
			spoil(v.Index(i), fmt.Sprintf("%s[%d]", path, i), check)
		}
	case reflect.String:
		set(v.String() + "x")
	case reflect.Int64:
		set(v.Int() + 1)
	case reflect.Bool:
		set(!v.Bool())
	default:
		panic(v.Type())
	}
}

func TestDiffSeesEveryField(t *testing.T) {
	was, is := aBundle(), aBundle()
	if d := Diff(was, is); len(d) != 0 {
		t.Fatalf("nothing differs, and yet %v", d)
	}
	leaves := 0
	spoil(reflect.ValueOf(&is).Elem(), "", func(path string) {
		leaves++
		d := Diff(was, is)
		silent := strings.HasSuffix(path, ".Benefit.ID") || strings.HasSuffix(path, ".Benefit.Version")
		if (len(d) == 0) != silent {
			t.Errorf("%s: %v", path, d)
		}
		for _, x := range d {
			for _, p := range x.Path {
				if p.Field != "" && !strings.Contains(path, "Attributes") && !i18n.Has("diff."+p.Field) {
					t.Errorf("the field %q has no name for people", p.Field)
				}
			}
		}
	})
	if leaves < 60 {
		t.Fatalf("only %d fields were looked at", leaves)
	}
}

func TestDiffOfLists(t *testing.T) {
	two := aBenefit("week")
	two.ID, two.Name = id.Benefit("ben_2"), both("Week")
	was := aBundle()
	is := aBundle()
	is.Parts = append(is.Parts, Part{Benefit: two, Quantity: 2})
	for name, c := range map[string]struct {
		was, is Content
		want    string
	}{
		"added":   {was, is, "added parts[Week（中文）]"},
		"removed": {is, was, "removed parts[Week（中文）]"},
		"moved":   {is, func() Content { c := is; c.Parts = []Part{is.Parts[1], is.Parts[0]}; return c }(), "moved parts"},
		"twice":   {is, func() Content { c := is; c.Parts = append(c.Parts[:2:2], is.Parts[1]); return c }(), "added parts[Week（中文）]"},
		"inside": {is, func() Content {
			c := is
			c.Parts = append([]Part(nil), is.Parts...)
			c.Parts[1].Quantity = 3
			return c
		}(), "altered parts[Week（中文）].quantity"},
	} {
		t.Run(name, func(t *testing.T) {
			d := Diff(c.was, c.is)
			if len(d) != 1 || string(d[0].Kind)+" "+d[0].String() != c.want {
				t.Fatalf("got %v, want %s", d, c.want)
			}
		})
	}
}

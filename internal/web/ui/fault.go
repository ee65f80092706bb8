package ui

import (
	"hufu/internal/fault"
	"hufu/internal/i18n"
)

// faultText says an error in words. What isn't a fault says only that it is ours.
func faultText(lang i18n.Lang) func(err error) string {
	return func(err error) string {
		if err == nil {
			return ""
		}
		return lang.Fault(fault.From(err))
	}
}

// FieldErrors turns a fault's fields into texts by path, for the Error property of form
// partials: index it with the field's name.
func FieldErrors(lang i18n.Lang, err error) map[string]string {
	f := fault.From(err)
	if f == nil {
		return nil
	}
	m := make(map[string]string, len(f.Fields))
	for _, field := range f.Fields {
		if _, has := m[field.Path]; !has {
			m[field.Path] = lang.Field(field)
		}
	}
	return m
}

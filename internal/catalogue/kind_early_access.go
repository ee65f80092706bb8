package catalogue

// Early access (提前点播): a work may be seen before others see it.
var _ = register(Kind{
	Name:   "early_access",
	Fields: []Attribute{{Name: "work", Form: FormWords, Required: true}, {Name: "opens_on", Form: FormDate}},
	Use:    UseProvider,
	Final:  FinalUsed,
})

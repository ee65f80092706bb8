package catalogue

// An offline service (线下服务): rendered at a place to who shows the right.
var _ = register(Kind{
	Name:   "service",
	Fields: []Attribute{{Name: "place", Form: FormWords, Required: true}, {Name: "minutes", Form: FormWhole}},
	Use:    UseCounter,
	Final:  FinalUsed,
})

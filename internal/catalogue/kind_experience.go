package catalogue

// An experience (体验): a visit at a booked time, such as a tour of a film set.
var _ = register(Kind{
	Name:   "experience",
	Fields: []Attribute{{Name: "place", Form: FormWords, Required: true}, {Name: "minutes", Form: FormWhole}, {Name: "guests", Form: FormWhole}},
	Asks:   AskSlot,
	Waits:  WaitSlot,
	Use:    UseCounter,
	Final:  FinalUsed,
})

package catalogue

// A digital collectible (数字藏品): one numbered piece of a series.
var _ = register(Kind{
	Name:   "collectible",
	Fields: []Attribute{{Name: "series", Form: FormWords, Required: true}, {Name: "edition", Form: FormWhole}, {Name: "artist", Form: FormWords}},
	Waits:  WaitMint,
	Use:    UseHere,
	Final:  FinalDelivered,
})

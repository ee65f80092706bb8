package catalogue

// Points (积分) of a scheme, credited to the holder's account there.
var _ = register(Kind{
	Name:   "points",
	Fields: []Attribute{{Name: "scheme", Form: FormWords, Required: true}, {Name: "points", Form: FormWhole, Required: true}},
	Waits:  WaitCredit,
	Use:    UseHere,
	Final:  FinalDelivered,
})

package catalogue

// A lottery entry (抽奖资格, such as for a meeting with actors): a draw decides what it becomes.
var _ = register(Kind{
	Name: "lottery",
	Fields: []Attribute{{Name: "prize", Form: FormWords, Required: true}, {Name: "winners", Form: FormWhole, Required: true},
		{Name: "drawn_on", Form: FormDate, Required: true}},
	Waits: WaitDraw,
	Use:   UseHere,
	Final: FinalDrawn,
})

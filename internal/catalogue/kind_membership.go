package catalogue

// Membership time (会员时长): a period of access to a provider's service.
var _ = register(Kind{
	Name:   "membership",
	Fields: []Attribute{{Name: "days", Form: FormWhole, Required: true}, {Name: "tier", Form: FormWords}},
	Use:    UseProvider,
	Final:  FinalRevealed,
})

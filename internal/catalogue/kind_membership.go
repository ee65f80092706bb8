package catalogue

// Membership time (会员时长): a period of access to a provider's service.
var _ = register(Kind{
	Name:      "membership",
	Fields:    []Attribute{{Name: "days", Required: true, Number: true}, {Name: "tier"}},
	NeedsCode: false,
})

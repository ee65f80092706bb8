package catalogue

// A voucher (观影券, partner coupon): pays for or takes off the price of something at a provider.
var _ = register(Kind{
	Name:   "voucher",
	Fields: []Attribute{{Name: "face", Form: FormMinor}, {Name: "minimum", Form: FormMinor}},
	Use:    UseProvider,
	Final:  FinalRevealed,
})

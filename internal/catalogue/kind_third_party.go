package catalogue

// A right on another platform (其他平台权益), which confirms that it has given it.
var _ = register(Kind{
	Name:   "third_party",
	Fields: []Attribute{{Name: "product", Form: FormWords, Required: true}, {Name: "terms_url", Form: FormLink}},
	Asks:   AskAccount,
	Waits:  WaitProvider,
	Use:    UseProvider,
	Final:  FinalDelivered,
})

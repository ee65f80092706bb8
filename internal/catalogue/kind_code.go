package catalogue

// A code (兑换码, 卡密) whose meaning its issuer knows.
var _ = register(Kind{
	Name:      "code",
	Fields:    []Attribute{{Name: "redeem_url", Form: FormLink}},
	NeedsCode: true,
	Use:       UseProvider,
	Final:     FinalRevealed,
})

package catalogue

// A direct top-up (直充): a supplier credits the holder's own account.
var _ = register(Kind{
	Name: "topup",
	Fields: []Attribute{{Name: "account_type", Form: FormChoice, Required: true, Choices: []string{"phone", "qq", "email", "platform_id", "game_role"}},
		{Name: "face", Form: FormMinor}, {Name: "days", Form: FormWhole}},
	Asks:  AskAccount,
	Waits: WaitTopUp,
	Use:   UseProvider,
	Final: FinalDelivered,
})

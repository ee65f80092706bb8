package catalogue

// Physical goods (实物): a parcel is sent.
var _ = register(Kind{
	Name:   "physical",
	Fields: []Attribute{{Name: "sku", Form: FormWords, Required: true}, {Name: "weight_grams", Form: FormWhole}},
	Asks:   AskAddress,
	Waits:  WaitShipment,
	Use:    UseHome,
	Final:  FinalDelivered,
})

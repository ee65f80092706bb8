package console

import (
	"testing"

	"hufu/internal/catalogue"
	"hufu/internal/i18n"
)

// What a page says of a kind of benefit is there; that it is so in both languages is a law
// of the messages.
func TestKindsAreTold(t *testing.T) {
	told := func(key string) {
		if !i18n.Has(key) {
			t.Errorf("%s is not told", key)
		}
	}
	for _, name := range catalogue.Kinds() {
		k, _ := catalogue.KindOf(name)
		told("console.kind." + name)
		if k.Waits != catalogue.WaitNothing {
			told("kind.waits." + string(k.Waits))
			told("kind.waits." + string(k.Waits) + ".terms")
		}
		if k.Asks != catalogue.AskNothing {
			told("kind.asks." + string(k.Asks))
		}
		for _, a := range k.Fields {
			told("console.attribute." + a.Name)
			for _, c := range a.Choices {
				told("console.attribute." + a.Name + "." + c)
			}
		}
	}
}

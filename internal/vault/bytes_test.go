package vault

import (
	"testing"
	"time"

	"hufu/internal/fault"
)

func TestBytesOpenInTheirPlaceAlone(t *testing.T) {
	m, err := CreateKeyFile(t.TempDir()+"/keys", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	var keys []WrappedKey
	for _, p := range Purposes {
		k, err := NewKey(t.Context(), m, p, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	ring, err := OpenKeyring(t.Context(), m, keys)
	if err != nil {
		t.Fatal(err)
	}
	key, sealed, err := ring.SealBytes("totp/a", []byte("secret"))
	if err != nil {
		t.Fatal(err)
	}
	if plain, err := ring.OpenBytes("totp/a", key, sealed); err != nil || string(plain) != "secret" {
		t.Errorf("opened %q, %v", plain, err)
	}
	if _, err := ring.OpenBytes("totp/b", key, sealed); fault.CodeOf(err) != "vault.sealed_damaged" {
		t.Errorf("opened in another place: %v", err)
	}
	sealed[len(sealed)-1] ^= 1
	if _, err := ring.OpenBytes("totp/a", key, sealed); fault.CodeOf(err) != "vault.sealed_damaged" {
		t.Errorf("opened although it was changed: %v", err)
	}
	if !ring.CheckLink("ord_1", ring.LinkSecret("ord_1")) || ring.CheckLink("ord_1", ring.LinkSecret("ord_2")) || ring.CheckLink("ord_1", "") {
		t.Error("a link's secret is not the thing's own")
	}
	if len(ring.LinkSecret("ord_1")) != 22 || string(ring.Derive("a")) == string(ring.Derive("b")) {
		t.Error("derived keys are too short or the same")
	}
}

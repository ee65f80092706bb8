package identity

import (
	"strings"
	"testing"

	"hufu/internal/fault"
)

// S39.
func TestPasswords(t *testing.T) {
	for password, want := range map[string]string{
		"":                             "identity.password_short",
		"1234567":                      "identity.password_short",
		"密码密码密码密":                      "identity.password_short",
		strings.Repeat("ab1 ", 300):    "identity.password_long",
		"good but \x00 ends":           "identity.password_long",
		"\xff\xfe\xfd\xfc\xfb\xfa!!":   "identity.password_long",
		"12345678":                     "identity.password_common",
		"87654321":                     "identity.password_common",
		"aaaaaaaa":                     "identity.password_common",
		"abcdabcd":                     "identity.password_common",
		"qwertyuiop":                   "identity.password_common",
		"1q2w3e4r":                     "identity.password_common",
		"1qaz2wsx":                     "identity.password_common",
		"Password":                     "identity.password_common",
		"P@ssw0rd":                     "identity.password_common",
		"Password123!":                 "identity.password_common",
		"password password":            "identity.password_common",
		"dragon2024":                   "identity.password_common",
		"woaini1314":                   "identity.password_common",
		"5201314520":                   "identity.password_common",
		"19900101":                     "identity.password_common",
		"13812345678":                  "identity.password_common",
		"ｐａｓｓｗｏｒｄ１":                    "identity.password_common",
		"!!iloveyou!!":                 "identity.password_common",
		"hufu2026":                     "identity.password_common",
		"lanzhou!99":                   "identity.password_common", // her name
		"xiaolan.shop":                 "identity.password_common", // her address
		"correct horse":                "",
		"tuk7-vopa":                    "",
		"dragon93847561029384":         "",
		"三只猫在屋顶上唱歌":                    "",
		"the password is not password": "",
		"88442917":                     "",
	} {
		if got := fault.CodeOf(Judge(password, "xiaolan.wei@shop.example", "Lanzhou Lin")); got != want {
			t.Errorf("%q: got %q, want %q", password, got, want)
		}
	}
}

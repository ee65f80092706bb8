package identity

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/hotp"
	"pgregory.net/rapid"

	"hufu/internal/fault"
	"hufu/internal/i18n"
)

var noon = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

func TestPhones(t *testing.T) {
	for typed, want := range map[string]string{
		"13812345678":           "+8613812345678",
		" 138 1234-5678 ":       "+8613812345678",
		"１３８１２３４５６７８":           "+8613812345678",
		"+86 138 1234 5678":     "+8613812345678",
		"＋８６13812345678":        "+8613812345678",
		"8613812345678":         "+8613812345678",
		"008613812345678":       "+8613812345678",
		"+1 (415) 555-0123":     "+14155550123",
		"+85291234567":          "+85291234567",
		"":                      "",
		"0":                     "",
		"null":                  "",
		"12812345678":           "", // no such mobile number
		"1381234567":            "",
		"138123456789":          "",
		"+8612345678901":        "",
		"+0123456789":           "",
		"+1234567890123456":     "",
		"+12345":                "",
		"138\x0012345678":       "",
		"138+12345678":          "",
		"[13812345678]":         "",
		strings.Repeat("1", 99): "",
	} {
		got, err := ParsePhone(typed)
		if got != want || (want == "") != (fault.CodeOf(err) == "identity.phone") {
			t.Errorf("%q: got %q, %v; want %q", typed, got, err, want)
		}
	}
	for phone, want := range map[string]string{"+8613812341234": "138****1234", "+14155550123": "+1****0123", "+1234567": "+1****67", "": "****", "x": "****"} {
		if got := MaskPhone(phone); got != want {
			t.Errorf("%q masked is %q, want %q", phone, got, want)
		}
	}
}

func TestEmails(t *testing.T) {
	for typed, want := range map[string]string{
		" Wei@Shop.Example ": "wei@shop.example", "a+b@x.y": "a+b@x.y", "王@例子.中国": "王@例子.中国",
		"": "", "@": "", "a@": "", "@b.c": "", "a@b": "", "a@b@c.d": "", "a b@c.d": "", "a@b..c": "", "a@-b.c": "", "a\x00@b.c": "", "a@b.c\n": "a@b.c",
		"<a@b.c>": "", strings.Repeat("a", 65) + "@b.c": "", "null": "", "\xff@b.c": "",
	} {
		got, err := ParseEmail(typed)
		if got != want || (want == "") != (fault.CodeOf(err) == "identity.email") {
			t.Errorf("%q: got %q, %v; want %q", typed, got, err, want)
		}
	}
}

// What a contact parses to parses to itself, and its mask hides at least four of its letters.
func FuzzContact(f *testing.F) {
	for _, s := range []string{"13812345678", "+1 415 555 0123", "a@b.c", "王@例子.中国", "\x00", "+86138", "İ@b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseContact(s)
		if err != nil {
			if c != "" {
				t.Fatalf("%q failed and gave %q", s, c)
			}
			return
		}
		again, err := ParseContact(string(c))
		if err != nil || again != c {
			t.Fatalf("%q gives %q, which gives %q, %v", s, c, again, err)
		}
		if strings.ContainsRune(string(c), 0) {
			t.Fatalf("%q keeps a NUL", s)
		}
		if c.IsPhone() {
			shown := strings.Count(c.Mask(), "") - strings.Count(c.Mask(), "*")
			if hidden := len(c) - (shown - 1); hidden < 3 {
				t.Fatalf("%q shows too much of %q", c.Mask(), c)
			}
		}
	})
}

func TestTheMatrix(t *testing.T) {
	for _, r := range AllRights {
		if !Owner.May(r) {
			t.Errorf("the owner lacks %s", r)
		}
		if !i18n.Has("identity.right." + string(r)) {
			t.Errorf("%s has no label", r)
		}
		if strings.HasSuffix(string(r), ".manage") && (Operator.May(r) || Finance.May(r) || Support.May(r) || Auditor.May(r)) {
			t.Errorf("somebody but the owner has %s", r)
		}
		if Auditor.May(r) && !strings.HasSuffix(string(r), ".view") {
			t.Errorf("the auditor may change something: %s", r)
		}
	}
	for _, r := range AllRoles {
		if len(matrix[r]) == 0 || !i18n.Has("identity.role."+string(r)) {
			t.Errorf("%s has no rights or no label", r)
		}
	}
	if (Roles{}).May(OrderView) || Role("god").May(OrderView) || len(loadRoles("god,,owner ")) != 0 {
		t.Error("an unknown role gives a right")
	}
}

func TestRolesSurviveStorage(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		for _, r := range rapid.SliceOf(rapid.SampledFrom(AllRoles)).Draw(t, "roles") {
			names = append(names, string(r))
		}
		roles, err := ParseRoles(names)
		if err != nil || loadRoles(roles.String()).String() != roles.String() {
			t.Fatalf("%v became %v, %v", names, roles, err)
		}
	})
	if _, err := ParseRoles([]string{"owner", "god"}); fault.CodeOf(err) != "identity.role" {
		t.Error(err)
	}
}

// RFC 6238, appendix B (SHA-1, the last six of its eight digits).
func TestTOTPGivesTheStandardsCodes(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, code := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"} {
		if totpStep(secret, code, 0, time.Unix(at, 0)) != at/totpPeriod {
			t.Errorf("the code of second %d is refused", at)
		}
	}
}

// A code counts in its own step and the ones beside it, and never again once it or a later
// one was used.
func TestTOTPCountsOnceAndNearItsTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		secret := rapid.SliceOfN(rapid.Byte(), totpSecret, totpSecret).Draw(t, "secret")
		now := time.Unix(rapid.Int64Range(100_000, 4_000_000_000).Draw(t, "now"), 0)
		offset := rapid.Int64Range(-3, 3).Draw(t, "offset")
		step := now.Unix()/totpPeriod + offset
		code, err := hotp.GenerateCode(totpText.EncodeToString(secret), uint64(step))
		if err != nil {
			t.Fatal(err)
		}
		got := totpStep(secret, code, 0, now)
		near := offset >= -totpDrift && offset <= totpDrift
		if near && got == 0 {
			t.Fatalf("the code of step %+d is refused", offset)
		}
		if got != 0 { // of a step far away only if one that is near has the same code
			if same, _ := hotp.GenerateCode(totpText.EncodeToString(secret), uint64(got)); same != code {
				t.Fatalf("the code of step %+d counts as that of %d", offset, got)
			}
			if later := totpStep(secret, code, got, now); later != 0 && later <= got {
				t.Fatal("a code that was used counts again")
			}
		}
		if totpStep(secret, code, step+10, now) != 0 {
			t.Fatal("a code counts after a later one was used")
		}
	})
}

// S33: what isn't six digits is no code.
func TestOnlySixDigitsAreACode(t *testing.T) {
	for typed, want := range map[string]string{
		"123456": "123456", "123 456": "123456", " 123456\t": "123456", "１２３４５６": "123456", "000000": "000000",
		"": "", "0": "", "null": "", "\x00": "", "12345": "", "1234567": "", "123456\x00": "", "[]": "", "true": "", "-12345": "", "12345.6": "", "1e5000": "", "٠١٢٣٤٥": "",
		strings.Repeat(" ", 100) + "123456": "",
	} {
		if got := digits(typed); got != want {
			t.Errorf("%q: got %q, want %q", typed, got, want)
		}
	}
	seen := map[string]bool{}
	for range 1000 {
		c := newCode()
		if digits(c) != c {
			t.Fatalf("made %q", c)
		}
		seen[c] = true
	}
	if len(seen) < 950 {
		t.Errorf("only %d of 1000 codes differ", len(seen))
	}
}

func TestRecoveryCodesWorkOnce(t *testing.T) {
	codes, stored := newRecovery()
	for i, c := range codes {
		if strings.Contains(stored, recoveryText(c)) {
			t.Fatal("a recovery code is stored as it is")
		}
		typed := strings.ToLower(strings.ReplaceAll(c, "-", " "))
		rest, ok := useRecovery(stored, typed)
		if !ok || recoveryLeft(rest) != recoveryCount-i-1 {
			t.Fatalf("code %d: %v, %d left", i, ok, recoveryLeft(rest))
		}
		if _, again := useRecovery(rest, c); again {
			t.Fatal("a recovery code works twice")
		}
		stored = rest
	}
	for _, bad := range []string{"", "0", "null", "\x00", ",", codes[0]} {
		if _, ok := useRecovery(stored, bad); ok {
			t.Errorf("%q opens an empty list", bad)
		}
	}
}

func TestTokens(t *testing.T) {
	token := newToken()
	if _, ok := hashToken(token); !ok || len(token) != 43 {
		t.Errorf("%q is no token", token)
	}
	for _, bad := range []string{"", "0", "null", "\x00", token[:42], token + "A", token[:42] + "=", token[:42] + "\n", " " + token} {
		if _, ok := hashToken(bad); ok {
			t.Errorf("%q reads as a token", bad)
		}
	}
	// S43.
	if !CheckCSRF(token, CSRF(token)) || CheckCSRF(token, "") || CheckCSRF("", CSRF("")) || CheckCSRF(newToken(), CSRF(token)) || CheckCSRF(token, token) {
		t.Error("a proof fits where it shouldn't, or doesn't where it should")
	}
}

func TestDeviceTokensProveOneContact(t *testing.T) {
	a, b := &Service{key: []byte("0123456789abcdef")}, &Service{key: []byte("fedcba9876543210")}
	token := a.deviceToken("+8613812345678")
	if a.knownDevice("+8613812345678", token) == "" {
		t.Error("a device isn't known")
	}
	if a.knownDevice("+8613812345679", token) != "" || b.knownDevice("+8613812345678", token) != "" || a.knownDevice("", a.deviceToken("")) != "" ||
		a.knownDevice("+8613812345678", "") != "" || a.knownDevice("+8613812345678", ".") != "" || a.knownDevice("+8613812345678", "x"+token) != "" {
		t.Error("a device is known that shouldn't be")
	}
}

func TestOneSource(t *testing.T) {
	for a, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "": "unknown", "nonsense": "unknown"} {
		if got := (Origin{Address: a}).source(); got != want {
			t.Errorf("%q: %q, want %q", a, got, want)
		}
	}
}

func TestAStoredHashIsReadStrictly(t *testing.T) {
	p := NewPasswords(Cost{8, 1, 1}, 1)
	h, err := p.Hash(context.Background(), "tuk7-vopa")
	if err != nil {
		t.Fatal(err)
	}
	for _, password := range []string{"tuk7-vopa", "ｔｕｋ７-ｖｏｐａ"} { // one text in two encodings
		if ok, err := p.matches(context.Background(), h.phc, password); !ok || err != nil {
			t.Errorf("%q is refused: %v", password, err)
		}
	}
	for _, stored := range []string{"", "tuk7-vopa", h.phc + "$", strings.Replace(h.phc, "m=8", "m=99999999", 1), strings.Replace(h.phc, "t=1", "t=0", 1), strings.Replace(h.phc, "p=1", "p=0", 1), strings.Replace(h.phc, "argon2id", "argon2i", 1), p.decoy} {
		for _, password := range []string{"tuk7-vopa", "", "0", "null", "\x00"} {
			if ok, err := p.matches(context.Background(), stored, password); ok || err != nil {
				t.Errorf("%q opens %q, %v", password, stored, err)
			}
		}
	}
	full, cancel := context.WithCancel(context.Background())
	cancel()
	p.places <- struct{}{}
	if _, err := p.matches(full, h.phc, "tuk7-vopa"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("who gives up waiting gets %v", err)
	}
}

// A session counts until its whole time, or its idle time since it was last seen, is over.
func TestSessionsEnd(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		face := rapid.SampledFrom([]Face{Shop, Console}).Draw(t, "face")
		l := lives[face]
		idle := time.Duration(rapid.Int64Range(0, int64(2*l.idle)).Draw(t, "idle"))
		age := idle + time.Duration(rapid.Int64Range(0, int64(2*l.whole)).Draw(t, "age"))
		s := Session{Face: face, Stage: StageFull, Party: Party{Active: true}, CreatedAt: noon, SeenAt: noon.Add(age - idle), ExpiresAt: noon.Add(l.whole)}
		if got, want := s.live(noon.Add(age)), idle < l.idle && age < l.whole; got != want {
			t.Fatalf("idle %v, age %v: %v", idle, age, got)
		}
		s.Party.Active = false
		if s.live(noon) {
			t.Fatal("a disabled party's session lives")
		}
	})
}

package vault

import (
	"strings"
	"testing"
)

func table(text, delimiter string) (rows [][]string) {
	for line := range strings.SplitSeq(text, "\n") {
		rows = append(rows, strings.Split(line, delimiter))
	}
	return rows
}

// A heading is never a code (P15): it is known for what it is, or asked about.
func TestAHeadingIsKnownOrAskedAbout(t *testing.T) {
	const codes = "\nAB12-CD34-EF56\nGH78-JK90-LM12\nNP34-QR56-ST78"
	for _, h := range []string{"Voucher Code", "Activation Code", "Gift Card Code", "License Key", "Product Key", "兑换码（卡密）", "腾讯视频兑换码", "CDKEY兑换码", "Code 1", "腾讯视频月卡卡密", "Voucher number",
		"ＣＯＤＥ", " code ", "[Codes]", "redeem_code", "卡 密", "兑换码", "会员", "券　码"} {
		if g := GuessFirst(table(h+codes, ",")); !g.Heading || !g.Sure || g.Mapping.Code != 0 {
			t.Errorf("%q: %+v", h, g)
		}
		if g := GuessFirst([][]string{{h}}); !g.Heading {
			t.Errorf("%q alone: %+v", h, g)
		}
	}
	for _, h := range []string{"Gift", "Voucher", "Ticket id", "Product", "number", "Item", "X"} {
		if g := GuessFirst(table(h+codes, ",")); !g.Heading {
			t.Errorf("%q isn't taken for a heading: %+v", h, g)
		}
	}
	for _, text := range []string{"Gift key;Region\nAB12;EU\nCD34;EU", "兑换码;地区\nAB12;EU\nCD34;EU"} {
		if g := GuessFirst(table(text, ";")); !g.Heading || !g.Sure || g.Mapping.Code != 0 {
			t.Errorf("%q: %+v", text, g)
		}
	}
	if g := GuessFirst(table("name,price\nfoo,1\nbar,2", ",")); g.Sure || !g.Heading || g.Mapping.identity() != NoColumn {
		t.Errorf("name and price: %+v", g)
	}
}

// A code is never taken for a heading.
func TestACodeIsNoHeading(t *testing.T) {
	for _, text := range []string{"AAAA-0001\nAAAA-0002\nAAAA-0003", "KEY-0001\nKEY-0002", "CODE-A1\nCODE-B2\nCODE-C3", "monkey1\nmonkey2", "12345678\n23456789", "AB12", "卡密：AB12\n卡密：CD34", "卡号：JD001",
		"abcDEF12\nghiJKL34\nmnoPQR56", "ABCDEFGH\nIJKLMNOP", "AB 12\nCD 34"} {
		if g := GuessFirst(table(text, ",")); g.Heading || !g.Sure || g.Mapping.identity() != 0 {
			t.Errorf("%q: %+v", text, g)
		}
	}
	for _, text := range []string{"ABCDEFGH\nA1B2C3D4\nE5F6G7H8", "hello", "CODE-A1", "a1\nABCDEFGHIJ12\nBCDEFGHIJK23"} {
		if g := GuessFirst(table(text, ",")); g.Sure {
			t.Errorf("%q isn't asked about: %+v", text, g)
		}
	}
	if g := GuessFirst(table("u1@example.com,pw1\nu2@example.com,pw2", ",")); g.Heading || !g.Sure || g.Mapping != nothing {
		t.Errorf("which column is which is guessed: %+v", g)
	}
	if g := GuessFirst(table("卡号：JD001,密码：AA11\n卡号：JD002,密码：BB22", ",")); g.Heading || g.Mapping.Serial != 0 || g.Mapping.Password != 1 {
		t.Errorf("labels: %+v", g)
	}
}

func TestAColumnIsWhatItsNameSaysLast(t *testing.T) {
	for heading, want := range map[string]int{"激活码有效期": 4, "卡密密码": 3, "卡密码": 3, "Code expiry date": 4, "card password": 3, "Coupon cost": 5, "兑换码说明": 6, "Gift Card Code": 0, "Password (code)": 3, "Card number": 1,
		"Account name": 2, "monkey": -1, "Region": -1, "price": -1, "codec": -1, "Codes": 0} {
		if got := contained(heading); got != want {
			t.Errorf("%q is %d, want %d", heading, got, want)
		}
	}
}

package vault

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"hufu/internal/fault"
)

// Mapping says which column of a table holds what, from 0; NoColumn for what isn't there.
type Mapping struct {
	Code, Serial, Account, Password, Expiry, Cost, Note int
}

// NoColumn is the place of what a table doesn't have.
const NoColumn = -1

// nothing is the mapping of no column at all.
var nothing = Mapping{NoColumn, NoColumn, NoColumn, NoColumn, NoColumn, NoColumn, NoColumn}

func (m *Mapping) all() [7]*int {
	return [7]*int{&m.Code, &m.Serial, &m.Account, &m.Password, &m.Expiry, &m.Cost, &m.Note}
}

// has reports whether something is said of a column.
func (m Mapping) has(column int) bool {
	for _, p := range m.all() {
		if *p == column {
			return true
		}
	}
	return false
}

// identity is the column whose text makes a row the same as another: the code, else the
// account, else the serial.
func (m Mapping) identity() int {
	switch {
	case m.Code != NoColumn:
		return m.Code
	case m.Account != NoColumn:
		return m.Account
	}
	return m.Serial
}

// Validate checks the mapping against a table's number of columns. Its faults are
// vault.mapping_missing (nothing says what is sold), vault.mapping_column (there is no
// such column) and vault.mapping_twice.
func (m Mapping) Validate(columns int) error {
	if m.identity() == NoColumn {
		return fault.New(fault.Invalid, "vault.mapping_missing")
	}
	used := map[int]bool{}
	for _, p := range m.all() {
		shown := strconv.Itoa(*p + 1)
		switch {
		case *p == NoColumn:
			continue
		case *p < 0 || *p >= columns:
			return fault.New(fault.Invalid, "vault.mapping_column", "column", shown)
		case used[*p]:
			return fault.New(fault.Invalid, "vault.mapping_twice", "column", shown)
		}
		used[*p] = true
	}
	return nil
}

// names are the words by which suppliers head their columns, and which some repeat before
// each value ("卡号：…"); in the order of Mapping's fields.
var names = [7][]string{
	{"卡密", "兑换码", "激活码", "券码", "充值码", "提货码", "code", "cdk", "cdkey", "cd-key", "key", "redeem code", "voucher", "coupon"},
	{"卡号", "序列号", "流水号", "编号", "serial", "serial number", "sn", "card number", "card no", "card"},
	{"账号", "帐号", "账户", "用户名", "手机号", "邮箱", "account", "user", "username", "login", "email"},
	{"密码", "卡密码", "口令", "password", "pass", "pwd", "pin"},
	{"有效期", "到期", "到期日", "到期时间", "有效期至", "过期时间", "截止日期", "expiry", "expires", "expire", "expiration", "valid until", "expiry date"},
	{"成本", "成本价", "进价", "采购价", "cost", "cost price"},
	{"备注", "说明", "使用说明", "note", "notes", "remark", "comment"},
}

func nameOf(cell string) int {
	cell = strings.ToLower(strings.Join(strings.Fields(strings.ReplaceAll(cell, "_", " ")), " "))
	for i, words := range names {
		for _, w := range words {
			if cell == w {
				return i
			}
		}
	}
	return -1
}

// IsHeading reports whether a row has nothing but a name of a column in some cell, so that it
// is surely no code. See GuessFirst for rows of which that isn't sure.
func IsHeading(cells []string) bool {
	for _, c := range cells {
		if nameOf(c) >= 0 {
			return true
		}
	}
	return false
}

// GuessMapping proposes a mapping from the names of columns. A column without any name that is
// known holds codes only if it is alone; of more nothing is guessed.
func GuessMapping(heading []string, columns int) Mapping {
	m := nothing
	for _, find := range []func(string) int{nameOf, contained} { // whole names first
		for i, name := range heading {
			if k := find(name); k >= 0 && *m.all()[k] == NoColumn && !m.has(i) {
				*m.all()[k] = i
			}
		}
	}
	if columns == 1 && m == nothing {
		m.Code = 0
	}
	// A number that goes with nothing is itself the code; so is a password on its own.
	switch {
	case m.Code != NoColumn || m.Account != NoColumn:
	case m.Serial != NoColumn && m.Password == NoColumn:
		m.Code, m.Serial = m.Serial, NoColumn
	case m.Serial == NoColumn && m.Password != NoColumn:
		m.Code, m.Password = m.Password, NoColumn
	}
	return m
}

// unlabel takes a Chinese label as "卡号：" off a value. An English one stays: "pass:word"
// may be a password.
func unlabel(cell string) string {
	i := strings.IndexAny(cell, ":：")
	if i <= 0 || i > 32 || cell[0] < utf8.RuneSelf || nameOf(cell[:i]) < 0 {
		return cell
	}
	return strings.TrimPrefix(strings.TrimPrefix(cell[i:], ":"), "：")
}

package identity

import (
	"slices"
	"strings"

	"hufu/internal/fault"
)

// Role is a name for what a member of the staff does. Its label is the message
// "identity.role." + role.
type Role string

// The roles.
const (
	Owner    Role = "owner"    // 店主
	Operator Role = "operator" // 运营
	Finance  Role = "finance"  // 财务
	Support  Role = "support"  // 客服
	Auditor  Role = "auditor"  // 审计
)

// AllRoles lists the roles in the order in which they are shown.
var AllRoles = []Role{Owner, Operator, Finance, Support, Auditor}

// Right is one thing that may be done. Its label is the message "identity.right." + right.
type Right string

// The rights.
const (
	CatalogueView  Right = "catalogue.view"
	CatalogueEdit  Right = "catalogue.edit"
	StockView      Right = "stock.view"
	StockEdit      Right = "stock.edit"
	CodeImport     Right = "code.import"
	CodeReveal     Right = "code.reveal"
	OrderView      Right = "order.view"
	OrderRefund    Right = "order.refund"
	ExceptionClose Right = "exception.close"
	LedgerView     Right = "ledger.view"
	CustomerUnmask Right = "customer.unmask"
	CustomerEdit   Right = "customer.edit"
	NoticeView     Right = "notice.view"
	StaffManage    Right = "staff.manage"
	AuditView      Right = "audit.view"
	SettingsEdit   Right = "settings.edit"
	SystemView     Right = "system.view"
)

// AllRights lists the rights in the order in which they are shown.
var AllRights = []Right{
	CatalogueView, CatalogueEdit, StockView, StockEdit, CodeImport, CodeReveal, OrderView, OrderRefund, ExceptionClose,
	LedgerView, CustomerUnmask, CustomerEdit, NoticeView, StaffManage, AuditView, SettingsEdit, SystemView,
}

// matrix says what each role may do. The owner may do everything; nobody else manages staff
// or settings, and the auditor changes nothing.
var matrix = map[Role][]Right{
	Owner:    AllRights,
	Operator: {CatalogueView, CatalogueEdit, StockView, StockEdit, CodeImport, OrderView, ExceptionClose, CustomerEdit, NoticeView, SystemView},
	Finance:  {CatalogueView, StockView, OrderView, OrderRefund, ExceptionClose, LedgerView},
	Support:  {CatalogueView, StockView, OrderView, CodeReveal, CustomerUnmask, CustomerEdit, NoticeView},
	Auditor:  {CatalogueView, StockView, OrderView, LedgerView, NoticeView, AuditView, SystemView},
}

// May reports whether the role gives the right.
func (r Role) May(right Right) bool { return slices.Contains(matrix[r], right) }

// Roles is what somebody is, in the order of AllRoles, each once.
type Roles []Role

// ParseRoles reads roles by name. Its fault is identity.role for a name that is none.
func ParseRoles(names []string) (Roles, error) {
	for _, n := range names {
		if !slices.Contains(AllRoles, Role(n)) {
			return nil, fault.New(fault.Invalid, "identity.role", "role", line(n, 40), "roles", strings.ReplaceAll(Roles(AllRoles).String(), ",", ", "))
		}
	}
	var roles Roles
	for _, r := range AllRoles {
		if slices.Contains(names, string(r)) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

// May reports whether any of the roles gives the right.
func (rs Roles) May(right Right) bool {
	return slices.ContainsFunc(rs, func(r Role) bool { return r.May(right) })
}

// String is the roles as stored: names with commas between them.
func (rs Roles) String() string {
	names := make([]string, len(rs))
	for i, r := range rs {
		names[i] = string(r)
	}
	return strings.Join(names, ",")
}

// loadRoles reads stored roles. A name that this program doesn't know gives no right.
func loadRoles(s string) Roles {
	var roles Roles
	for _, r := range AllRoles {
		if slices.Contains(strings.Split(s, ","), string(r)) {
			roles = append(roles, r)
		}
	}
	return roles
}

// Actor is who acts, for rights and for the audit trail.
type Actor struct {
	ID     string // a party's id, or "system"
	Roles  Roles
	Origin string // address
}

// System is the program itself, and whoever can run its commands on the machine.
var System = Actor{ID: "system", Roles: Roles{Owner}}

// Require is the fault forbidden when the actor lacks the right. Whoever answers a person
// with it also calls Service.Denied, which puts the refusal on record.
func (a Actor) Require(right Right) error {
	if a.Roles.May(right) {
		return nil
	}
	return fault.New(fault.Forbidden, "forbidden")
}

package identity

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

const (
	partyColumns   = `p.id, p.kind, p.name, p.phone, p.email, p.lang, CASE p.state WHEN 'active' THEN 1 ELSE 0 END, p.created_at, p.level, p.tags, p.region, p.active_day, p.active_bits`
	staffColumns   = `s.roles, s.password, s.totp, s.totp_key, s.totp_step, s.recovery`
	sessionColumns = `e.token_hash, e.id, e.face, e.stage, e.created_at, e.seen_at, e.confirmed_at, e.expires_at, e.origin, e.agent`
)

var (
	insertParty = db.SQL("identity.insert_party", `INSERT INTO parties (id, kind, name, phone, email, lang, state, created_at, level, tags, region, active_day, active_bits) VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, '', '', '', 0, 0) ON CONFLICT DO NOTHING`)
	partyByID   = db.SQL("identity.party", `SELECT `+partyColumns+` FROM parties p WHERE p.id {{in $1 text}} ORDER BY p.id`)
	shopperBy   = db.SQL("identity.shopper_by_contact", `SELECT `+partyColumns+` FROM parties p WHERE p.kind = 'shopper' AND ((p.phone = $1 AND p.phone <> '') OR (p.email = $1 AND p.email <> ''))`)
	setProfile  = db.SQL("identity.set_profile", `UPDATE parties SET name = $1, lang = $2 WHERE id = $3`)
	setState    = db.SQL("identity.set_state", `UPDATE parties SET state = $1 WHERE id = $2 AND state <> $1`)

	insertStaff  = db.SQL("identity.insert_staff", `INSERT INTO staff (party_id, roles, password, totp, totp_key, totp_step, recovery, updated_at) VALUES ($1, $2, $3, $4, '', 0, '', $5)`)
	countStaff   = db.SQL("identity.count_staff", `SELECT COUNT(*) FROM staff`)
	staffByEmail = db.SQL("identity.staff_by_email", `SELECT `+partyColumns+`, `+staffColumns+` FROM parties p JOIN staff s ON s.party_id = p.id WHERE p.kind = 'staff' AND p.email = $1`)
	staffByID    = db.SQL("identity.staff_by_id", `SELECT `+partyColumns+`, `+staffColumns+` FROM parties p JOIN staff s ON s.party_id = p.id WHERE p.id = $1`)
	lockStaff    = db.SQL("identity.lock_staff", `SELECT `+partyColumns+`, `+staffColumns+` FROM parties p JOIN staff s ON s.party_id = p.id WHERE p.id = $1 {{for update}}`)
	listStaff    = db.SQL("identity.list_staff", `SELECT `+partyColumns+`, `+staffColumns+` FROM parties p JOIN staff s ON s.party_id = p.id ORDER BY p.id`)
	lockOwners   = db.SQL("identity.lock_owners", `SELECT p.id, s.roles, s.password FROM parties p JOIN staff s ON s.party_id = p.id WHERE p.state = 'active' AND s.roles LIKE '%owner%' ORDER BY p.id {{for update}}`)
	setRoles     = db.SQL("identity.set_roles", `UPDATE staff SET roles = $1, updated_at = $2 WHERE party_id = $3`)
	setPassword  = db.SQL("identity.set_password", `UPDATE staff SET password = $1, updated_at = $2 WHERE party_id = $3`)
	setTOTP      = db.SQL("identity.set_totp", `UPDATE staff SET totp = $1, totp_key = $2, totp_step = 0, recovery = '', updated_at = $3 WHERE party_id = $4`)
	useStep      = db.SQL("identity.use_totp_step", `UPDATE staff SET totp_step = $1 WHERE party_id = $2 AND totp_step < $1`)
	setRecovery  = db.SQL("identity.set_recovery", `UPDATE staff SET recovery = $1 WHERE party_id = $2 AND recovery = $3`)

	setUpOpen   = db.SQL("identity.set_up_open", `INSERT INTO first_start (name, token_hash, closed_at) VALUES ('owner', $1, 0) ON CONFLICT DO NOTHING`)
	setUpRenew  = db.SQL("identity.set_up_renew", `UPDATE first_start SET token_hash = $1 WHERE name = 'owner' AND closed_at = 0`)
	setUpLock   = db.SQL("identity.set_up_lock", `SELECT token_hash, closed_at FROM first_start WHERE name = 'owner' {{for update}}`)
	setUpRead   = db.SQL("identity.set_up_read", `SELECT token_hash, closed_at FROM first_start WHERE name = 'owner'`)
	setUpClose  = db.SQL("identity.set_up_close", `UPDATE first_start SET closed_at = $1, token_hash = $2 WHERE name = 'owner' AND closed_at = 0`)
	insertLink  = db.SQL("identity.insert_link", `INSERT INTO invitations (token_hash, party_id, created_by, created_at, expires_at, used_at) VALUES ($1, $2, $3, $4, $5, 0)`)
	linkBy      = db.SQL("identity.link", `SELECT party_id FROM invitations WHERE token_hash = $1 AND used_at = 0 AND expires_at > $2`)
	useLink     = db.SQL("identity.use_link", `UPDATE invitations SET used_at = $1 WHERE token_hash = $2 AND used_at = 0 AND expires_at > $1`)
	revokeLinks = db.SQL("identity.revoke_links", `UPDATE invitations SET used_at = $1 WHERE party_id = $2 AND used_at = 0`)

	insertSession = db.SQL("identity.insert_session", `INSERT INTO sessions (token_hash, id, party_id, face, stage, created_at, seen_at, confirmed_at, expires_at, origin, agent) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`)
	sessionBy     = db.SQL("identity.session", `SELECT `+sessionColumns+`, `+partyColumns+`, COALESCE(s.roles, '') FROM sessions e JOIN parties p ON p.id = e.party_id LEFT JOIN staff s ON s.party_id = p.id WHERE e.token_hash = $1`)
	sessionsOf    = db.SQL("identity.sessions_of", `SELECT `+sessionColumns+`, `+partyColumns+`, COALESCE(s.roles, '') FROM sessions e JOIN parties p ON p.id = e.party_id LEFT JOIN staff s ON s.party_id = p.id WHERE e.party_id = $1 ORDER BY e.id DESC`)
	touch         = db.SQL("identity.touch", `UPDATE sessions SET seen_at = $1 WHERE token_hash = $2 AND seen_at < $1`)
	confirm       = db.SQL("identity.confirm", `UPDATE sessions SET confirmed_at = $1, seen_at = $1 WHERE token_hash = $2`)
	endSession    = db.SQL("identity.end_session", `DELETE FROM sessions WHERE token_hash = $1`)
	endByID       = db.SQL("identity.end_session_by_id", `DELETE FROM sessions WHERE id = $1 AND party_id = $2`)
	endOf         = db.SQL("identity.end_sessions_of", `DELETE FROM sessions WHERE party_id = $1 AND token_hash <> $2`)
	pruneSessions = db.SQL("identity.prune_sessions", `DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`)

	insertCode = db.SQL("identity.insert_code", `INSERT INTO one_time_codes (id, purpose, target, hash, tries, used_at, created_at, expires_at) VALUES ($1, $2, $3, $4, 0, 0, $5, $6)`)
	lockCode   = db.SQL("identity.lock_code", `SELECT id, purpose, target, hash, tries, used_at, expires_at FROM one_time_codes WHERE id = $1 {{for update}}`)
	tryCode    = db.SQL("identity.try_code", `UPDATE one_time_codes SET tries = tries + 1, used_at = $1 WHERE id = $2 AND tries = $3 AND used_at = 0`)
	pruneCodes = db.SQL("identity.prune_codes", `DELETE FROM one_time_codes WHERE id IN (SELECT id FROM one_time_codes WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)`)
)

// account is a member of the staff with what proves it is them.
type account struct {
	Party
	roles    Roles
	password string
	totp     []byte // sealed
	totpKey  id.Key
	step     int64 // of the last TOTP code used; 0: not enrolled
	recovery string
}

func partyTargets(p *Party, active *int64) []any {
	return []any{&p.ID, &p.Kind, &p.Name, &p.Phone, &p.Email, &p.Lang, active, db.Time(&p.CreatedAt), &p.Level, &p.Tags, &p.Region, &p.ActiveDay, &p.ActiveBits}
}

func loadParties(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Party, error) {
	var out []Party
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var p Party
		var active int64
		err := scan(partyTargets(&p, &active)...)
		p.Active = active == 1
		out = append(out, p)
		return err
	}, args...)
	return out, err
}

func loadAccounts(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]*account, error) {
	var out []*account
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		a := new(account)
		var active int64
		var roles string
		err := scan(append(partyTargets(&a.Party, &active), &roles, &a.password, &a.totp, &a.totpKey, &a.step, &a.recovery)...)
		a.Active, a.roles = active == 1, loadRoles(roles)
		out = append(out, a)
		return err
	}, args...)
	return out, err
}

// loadAccount gives nil when there is none.
func loadAccount(ctx context.Context, tx *db.Tx, stmt *db.Stmt, arg any) (*account, error) {
	found, err := loadAccounts(ctx, tx, stmt, arg)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func loadSessions(ctx context.Context, tx *db.Tx, stmt *db.Stmt, arg any) ([]Session, error) {
	var out []Session
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var s Session
		var active int64
		var roles string
		into := []any{&s.hash, &s.ID, &s.Face, &s.Stage, db.Time(&s.CreatedAt), db.Time(&s.SeenAt), db.Time(&s.ConfirmedAt), db.Time(&s.ExpiresAt), &s.Origin, &s.Agent}
		err := scan(append(append(into, partyTargets(&s.Party, &active)...), &roles)...)
		s.Party.Active, s.Roles = active == 1, loadRoles(roles)
		out = append(out, s)
		return err
	}, arg)
	return out, err
}

func loadCode(ctx context.Context, tx *db.Tx, ticket string) (*oneTime, error) {
	c := new(oneTime)
	found, err := tx.One(ctx, lockCode, []any{&c.ticket, &c.purpose, &c.target, &c.hash, &c.tries, db.Time(&c.usedAt), db.Time(&c.expiresAt)}, ticket)
	if err != nil || !found {
		return nil, err
	}
	return c, nil
}

func writeSession(ctx context.Context, tx *db.Tx, s *Session) error {
	_, err := tx.Exec(ctx, insertSession, s.hash, string(s.ID), string(s.Party.ID), string(s.Face), string(s.Stage), db.Micros(s.CreatedAt),
		db.Micros(s.SeenAt), db.Micros(s.ConfirmedAt), db.Micros(s.ExpiresAt), s.Origin, s.Agent)
	return err
}

func addParty(ctx context.Context, tx *db.Tx, p Party) (bool, error) {
	n, err := tx.Exec(ctx, insertParty, string(p.ID), string(p.Kind), p.Name, p.Phone, p.Email, string(p.Lang), db.Micros(p.CreatedAt))
	return n == 1, err
}

func addStaff(ctx context.Context, tx *db.Tx, party id.Party, roles Roles, password string, now time.Time) error {
	_, err := tx.Exec(ctx, insertStaff, string(party), roles.String(), password, []byte{}, db.Micros(now))
	return err
}

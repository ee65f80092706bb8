package ledger

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"sync"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
	"hufu/internal/money"
)

var (
	insertAccount = db.Rows("ledger.insert_account", `INSERT INTO ledger_accounts {{values id text, kind text, currency text, overdraft bigint, created_at bigint}} ON CONFLICT DO NOTHING`)
	lockAccounts  = db.SQL("ledger.lock_accounts", `SELECT id FROM ledger_accounts WHERE id {{in $1 text}} ORDER BY id {{for update}}`)
	insertRow     = db.Rows("ledger.insert_transfer", `INSERT INTO ledger_transfers {{values entry_id text, leg bigint, debit text, credit text, amount bigint, currency text, kind text, order_id text, at bigint, chain text, seal bigint}}`)
	lastSeal      = db.SQL("ledger.last_seal", `SELECT seal, hash FROM ledger_seals WHERE chain = $1 ORDER BY seal DESC LIMIT 1`)
	insertSeal    = db.Rows("ledger.insert_seal", `INSERT INTO ledger_seals {{values chain text, seal bigint, transfers bigint, hash bytes, at bigint}}`)
	sumDebits     = db.SQL("ledger.sum_debits", `SELECT debit, SUM(amount) FROM ledger_transfers WHERE debit {{in $1 text}} GROUP BY debit`)
	sumCredits    = db.SQL("ledger.sum_credits", `SELECT credit, SUM(amount) FROM ledger_transfers WHERE credit {{in $1 text}} GROUP BY credit`)
	listAccounts  = db.SQL("ledger.accounts", `SELECT id FROM ledger_accounts ORDER BY id LIMIT $1`)
	ofEntries     = db.SQL("ledger.of_entries", `SELECT entry_id, leg, debit, credit, amount, currency, kind, order_id, at FROM ledger_transfers WHERE entry_id {{in $1 text}} ORDER BY entry_id, leg`)
	ofAccount     = db.SQL("ledger.of_account", `SELECT entry_id, leg, debit, credit, amount, currency, kind, order_id, at FROM ledger_transfers WHERE (debit = $1 AND (entry_id < $2 OR $2 = '')) OR (credit = $3 AND (entry_id < $4 OR $4 = '')) ORDER BY entry_id DESC, leg LIMIT $5`)
)

// Service posts transfers and reads balances.
type Service struct {
	mu     sync.Mutex
	chains []string            // names of those of this process, free to be continued
	made   int                 // how many there are
	run    string              // names this process' chains
	known  map[id.Account]bool // accounts that are there
}

// NewService makes a service with chains of its own.
func NewService() *Service {
	return &Service{run: rand.Text()[:12], known: map[id.Account]bool{}}
}

// Chain is a chain of seals that a transaction continues, alone until it ends.
type Chain struct {
	name string
	seal int64
	hash []byte
}

// Continue takes a chain for the transaction to post on. It asks only: the chain may be
// posted on, once, after the transaction's next Flush or answer.
func (s *Service) Continue(ctx context.Context, tx *db.Tx) (*Chain, error) {
	name, release := s.take()
	tx.OnEnd(release)
	c := &Chain{name: name}
	return c, tx.Ask(ctx, lastSeal, func(scan func(...any) error) error { return scan(&c.seal, &c.hash) }, name)
}

// Post writes transfers. An account that may not be overdrawn is locked and checked; a
// transfer that would overdraw one fails the whole call with ledger.insufficient, so a
// caller with several commands asks Available first. Posting an entry twice violates a
// unique key.
func (s *Service) Post(ctx context.Context, tx *db.Tx, transfers []Transfer) error {
	if len(transfers) == 0 {
		return nil
	}
	c, err := s.Continue(ctx, tx)
	if err != nil {
		return err
	}
	if err := tx.Flush(ctx); err != nil {
		return err
	}
	return s.PostOn(ctx, tx, c, transfers)
}

// PostOn is Post on a chain that was taken before.
func (s *Service) PostOn(ctx context.Context, tx *db.Tx, c *Chain, transfers []Transfer) error {
	if len(transfers) == 0 {
		return nil
	}
	var fresh, guarded []id.Account
	s.mu.Lock()
	for _, t := range transfers {
		if t.Amount.Minor <= 0 || t.Debit == t.Credit || CurrencyOf(t.Debit) != t.Amount.Currency || CurrencyOf(t.Credit) != t.Amount.Currency {
			s.mu.Unlock()
			return fmt.Errorf("ledger: %s from %s to %s of %v is no transfer", t.Entry, t.Credit, t.Debit, t.Amount)
		}
		for _, a := range []id.Account{t.Debit, t.Credit} {
			if !s.known[a] {
				fresh = append(fresh, a)
			}
		}
		if !mayOverdraw(t.Debit) {
			guarded = append(guarded, t.Debit)
		}
	}
	s.mu.Unlock()
	if err := s.add(ctx, tx, fresh, transfers[0].At.UnixMicro()); err != nil {
		return err
	}
	var before map[id.Account]Balance
	if len(guarded) > 0 {
		var err error
		if before, err = s.Available(ctx, tx, guarded); err != nil {
			return err
		}
	}
	sorted := slices.Clone(transfers)
	slices.SortFunc(sorted, func(a, b Transfer) int {
		if c := strings.Compare(a.Entry, b.Entry); c != 0 {
			return c
		}
		return int(a.Leg - b.Leg)
	})
	seal := c.seal + 1
	if err := tx.WriteAll(ctx, insertRow, len(sorted), func(i int, b *db.Binder) {
		t := sorted[i]
		b.Text(t.Entry).Int(t.Leg).Text(string(t.Debit)).Text(string(t.Credit)).Int(t.Amount.Minor).Text(string(t.Amount.Currency)).
			Text(t.Kind).Text(string(t.Order)).Time(t.At).Text(c.name).Int(seal)
	}); err != nil {
		return err
	}
	for a, b := range before {
		for _, t := range transfers {
			if t.Debit == a {
				b.Debits += t.Amount.Minor
			}
			if t.Credit == a {
				b.Credits += t.Amount.Minor
			}
		}
		if b.Net().Minor < 0 {
			return fault.New(fault.Conflict, "ledger.insufficient")
		}
	}
	return tx.WriteAll(ctx, insertSeal, 1, func(_ int, b *db.Binder) {
		b.Text(c.name).Int(seal).Int(int64(len(sorted))).Bytes(sum(c.hash, sorted)).Time(sorted[0].At)
	})
}

// take gives a chain that no other transaction under way continues.
func (s *Service) take() (chain string, release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.chains); n > 0 {
		chain, s.chains = s.chains[n-1], s.chains[:n-1]
	} else {
		s.made++
		chain = fmt.Sprintf("%s-%d", s.run, s.made)
	}
	return chain, func() {
		s.mu.Lock()
		s.chains = append(s.chains, chain)
		s.mu.Unlock()
	}
}

func (s *Service) add(ctx context.Context, tx *db.Tx, accounts []id.Account, at int64) error {
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	_, err := tx.Write(ctx, insertAccount, len(accounts), func(i int, b *db.Binder) {
		a := accounts[i]
		b.Text(string(a)).Text(Kind(a)).Text(string(CurrencyOf(a))).Flag(mayOverdraw(a)).Int(at)
	})
	if err == nil && len(accounts) > 0 {
		tx.AfterCommit(func() {
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.known) > 100_000 {
				clear(s.known)
			}
			for _, a := range accounts {
				s.known[a] = true
			}
		})
	}
	return err
}

// Available locks accounts and gives their balances, for a decision on whether they cover
// a payment. Accounts that don't exist yet have nothing.
func (s *Service) Available(ctx context.Context, tx *db.Tx, accounts []id.Account) (map[id.Account]Balance, error) {
	accounts = slices.Clone(accounts)
	slices.Sort(accounts)
	accounts = slices.Compact(accounts)
	if err := tx.Query(ctx, lockAccounts, func(scan func(...any) error) error {
		var a id.Account
		return scan(&a)
	}, db.Texts(accounts)); err != nil {
		return nil, err
	}
	return s.Balances(ctx, tx, accounts)
}

// Balances gives the balances of accounts as the transaction sees them.
func (s *Service) Balances(ctx context.Context, tx *db.Tx, accounts []id.Account) (map[id.Account]Balance, error) {
	out := make(map[id.Account]Balance, len(accounts))
	for _, a := range accounts {
		out[a] = Balance{Account: a}
	}
	for _, side := range []struct {
		stmt *db.Stmt
		set  func(*Balance, int64)
	}{{sumDebits, func(b *Balance, n int64) { b.Debits = n }}, {sumCredits, func(b *Balance, n int64) { b.Credits = n }}} {
		err := tx.Query(ctx, side.stmt, func(scan func(...any) error) error {
			var a id.Account
			var n int64
			if err := scan(&a, &n); err != nil {
				return err
			}
			b := out[a]
			side.set(&b, n)
			out[a] = b
			return nil
		}, db.Texts(accounts))
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Accounts lists accounts by name, at most n.
func (s *Service) Accounts(ctx context.Context, tx *db.Tx, n int) ([]id.Account, error) {
	var out []id.Account
	err := tx.Query(ctx, listAccounts, func(scan func(...any) error) error {
		var a id.Account
		err := scan(&a)
		out = append(out, a)
		return err
	}, n)
	return out, err
}

// Entries gives the transfers of entries.
func (s *Service) Entries(ctx context.Context, tx *db.Tx, entries []string) ([]Transfer, error) {
	return transfers(ctx, tx, ofEntries, db.Texts(entries))
}

// Statement lists the transfers of an account, the newest first, from before the entry
// named (or from the newest, for ""), at most n.
func (s *Service) Statement(ctx context.Context, tx *db.Tx, a id.Account, before string, n int) ([]Transfer, error) {
	return transfers(ctx, tx, ofAccount, a, before, a, before, n)
}

func transfers(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Transfer, error) {
	var out []Transfer
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var t Transfer
		var c money.Currency
		err := scan(&t.Entry, &t.Leg, &t.Debit, &t.Credit, &t.Amount.Minor, &c, &t.Kind, &t.Order, db.Time(&t.At))
		t.Amount.Currency = c
		out = append(out, t)
		return err
	}, args...)
	return out, err
}

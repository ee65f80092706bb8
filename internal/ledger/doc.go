// Package ledger is the double-entry book (复式记账) under every movement of money.
//
// A transfer moves an amount from the account it credits to the account it debits, in one
// currency, so the books balance row by row and can't do otherwise. Balances are not
// stored: a balance is the sum of an account's transfers, so it can't differ from them.
// Transfers are never changed, which the database itself enforces; a correction is a
// transfer the other way that names what it corrects.
//
// The transfers of one database transaction are sealed together: a seal's hash covers
// them and the seal before it in its chain, so that an edit behind the database's back, a
// removal from the middle or a gap shows. Each process writes chains of its own and so
// waits for no other.
//
// Accounts are named by a path: kind:what:whose:currency, for example
// "asset:gateway:sandbox:CNY" or "liability:prepaid:pty_...:CNY".
//
// Not owned here: why money moves (flow), what a party is (identity).
package ledger

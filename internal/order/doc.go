// Package order owns purchases: who ordered what at which price, and how far it has come.
//
// Invariants
//   - An order keeps the version of each offer that it bought.
//   - A line's amount = quantity × unit price; the order's total = the sum of its lines.
//   - delivered + refunded <= quantity for each line.
//   - A history is a path of the state machine (states.go) and only grows.
//   - A tally (purchase limits) has reached the sum of what lines count under it: all units of
//     a pending order, the delivered ones of a paid one, none of one that ended unpaid.
//   - Idempotency key and scope are unique; the request's hash is kept beside them.
//
// Not owned here: money (payment, ledger), units (inventory), what the buyer then holds
// (entitlement).
package order

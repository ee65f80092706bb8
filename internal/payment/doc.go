// Package payment owns attempts to pay (intents), money that has arrived (captures), the
// gateways' messages as received (notices), and money that goes back (refunds).
//
// Invariants
//   - One live intent per order.
//   - (provider, event id) of a notice and (provider, transaction) of a capture are unique,
//     so each takes effect at most once.
//   - A capture is never changed: it says what arrived. Whether it paid for something
//     (applied) or nothing is known to be owed for it (suspense) is part of it.
//   - The refunds of a capture, done or under way, never exceed it; a refund's number and
//     amount never change.
//
// Not owned here: the gateways' protocols (paygate), what a payment brings about (flow).
package payment

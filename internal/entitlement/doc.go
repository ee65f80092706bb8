// Package entitlement owns what people hold: rights (权益), and the whole path of each
// (流转路径).
//
// Invariants
//   - A right changes only together with a step of its path, written in the same
//     transaction: the path is complete by construction.
//   - Steps are numbered without gaps from 1 and form a hash chain; the right keeps the
//     number and the hash of the last, so that a cut tail shows too.
//   - A right's state is the state its steps lead to.
//   - Steps are never changed, which the database itself enforces.
//
// Not owned here: the secret behind a right (vault), its price (order).
package entitlement

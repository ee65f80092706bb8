// Package verify checks the invariants of the whole database: what correctness.md names I1
// to I31, as far as the tables reach. It only reads, in one snapshot, so it may run beside
// a serving shop; its memory does not grow with the number of orders.
//
// What comes with every order is looked at in stretches of time, once: the rows of one moment
// lie close together in every table, and a store larger than memory is read from its disk
// little more than once. Several connections may share the stretches and see the same moment.
//
// Each invariant is a set of rules. A rule is a query that must return no rows, or a walk
// over rows in the order of their key where a query can't say it: hash chains, histories,
// prices. What breaks a rule is told by id, never by content: no code, phone number or
// address leaves this package.
//
// An invariant that no table can break yet is not listed, so that "ok" always means that
// something was looked at.
package verify

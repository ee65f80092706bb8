// Package catalogue owns what can be promised and sold: benefits (权益) and offers (商品),
// both in versions.
//
// Invariants
//   - A version is never changed. An edit works on a draft; publishing freezes it.
//   - A version holds whole copies of the benefits in it, so an order that keeps a version
//     keeps every word its buyer was shown.
//   - Every benefit of a published version has a complete disclosure in both languages.
//
// Not owned here: how many are left (inventory), what a person pays (pricing), who holds
// what (entitlement).
package catalogue

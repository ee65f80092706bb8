// Package inventory owns how many there are: stocks (库存), and reservations (预占) of
// their units.
//
// Invariants
//   - received = available + reserved + delivered + voided, none below zero (kept by the
//     database as well), for each stock at every commit.
//   - reserved = the sum of the stock's live reservations.
//   - What a counted stock has received and voided is the sum of its receipts.
//   - A reservation has an owner and an end, and ends once: consumed, released or expired.
//
// A transaction that moves units opens a Book on its stocks, which locks them, decides on
// the book without the database, and saves it.
//
// Not owned here: the codes behind the units (vault), who buys (order).
package inventory

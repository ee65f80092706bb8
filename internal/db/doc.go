// Package db is the only place that talks to a database. Everything above it writes one
// SQL text for both SQLite and PostgreSQL and gets an explicit transaction, *Tx, as a
// parameter.
//
//   - Statements are declared once, at package level, with SQL or Rows, and so are known
//     to a test that prepares each of them on both databases.
//   - Where the two differ the text holds a token; see Dialect.
//   - Do runs a closure in a write transaction and repeats it when the database asks for
//     that, so a closure must be repeatable. View runs one in a read-only snapshot.
//   - A Lane carries concurrent commands of one kind in one transaction (natural group
//     commit): while one transaction commits, the next fills; nobody waits on an idle system.
//   - Sets are written by Tx.Write: one statement over arrays on PostgreSQL, a prepared
//     statement per row on SQLite.
//
// # Columns
//
// Ids are TEXT, money BIGINT minor units beside a currency, times BIGINT Unix
// microseconds UTC (0: never), flags BIGINT 0 or 1, enums TEXT with CHECK, secrets
// {{bytes}}. No column is NULL: absence is the empty string or 0, so that no statement needs three truths.
//
// # Lock order on PostgreSQL
//
// A transaction that locks rows of several tables takes them in this order, sorted by id
// within a table, late, and once: orders, payment intents, rights, prepaid accounts, stocks,
// codes, audit head. SQLite has one writer and needs no order.
package db

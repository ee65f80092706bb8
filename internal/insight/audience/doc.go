// Package audience answers who of a shop's customers would qualify by issuing rules: how many
// of all, some of them, and what leaves the others out.
//
// It asks a read model, insight_customers: one narrow row for each active customer, with what
// rules ask of them. A duty walks along the customers and rewrites the rows that have changed
// (Walk), so an answer says as of when every row is true. Rules become one query; unknown
// facts qualify nobody, as in rule.Rule.Eval, and the query and Eval are held against each other
// by a test. Rules that no query can ask are answered row by row.
package audience

// Package audience answers who of a shop's customers would qualify by issuing rules: how many
// of all, some of them, and what leaves the others out.
//
// It asks a read model, insight_customers: the active customers with what rules ask of them,
// some thousand in a row, packed. A duty walks along the customers and rewrites the rows that
// have changed (Walk), so an answer says as of when every customer is true. The rules are asked
// of each as when somebody buys; unknown facts qualify nobody.
package audience

// Package conformance holds what Hufu says on the wire, and what it believes, against other
// people's implementations of the same protocols: npm packages, run by node. Its tests install
// them when they are missing.
package conformance

// Package gateway is the sandbox payment gateway: a program of its own that behaves towards a
// shop as the real channels do, with a cashier page, signed notices repeated on the channels'
// own timetables, queries, closing, refunds and a daily bill, and with a switch for everything
// that is known to go wrong with them. docs/sandbox-gateway.md is its protocol.
//
// It plays a company other than the shop: it shares neither code nor storage with the adapter
// (package sandbox), and neither imports the other outside of tests.
package gateway

// Package gateway is the sandbox payment gateway: a program of its own that behaves towards a
// shop as the real channels do, with a cashier page, signed notices repeated on the channels'
// own timetables, queries, closing, refunds and a daily bill, and with a switch for everything
// that is known to go wrong with them. docs/sandbox-gateway.md is its protocol.
//
// It speaks WeChat Pay's and Alipay's protocols over the same trades (a dialect each).
//
// It plays companies other than the shop: it shares neither code nor storage with the adapters
// (packages sandbox, wechat and alipay), and neither imports the other outside of tests.
package gateway

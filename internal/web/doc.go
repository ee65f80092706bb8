// Package web is Hufu's pages. A file here is one family of pages and has its templates
// beside it under the same name (templates/shop/NAME.html). Every page is made on the
// server and works without script; package ui holds what pages are built of.
//
// Who may see an order is decided in one place (visitor.go): a browser that holds the
// order's secret, or the member who placed it. To everybody else an order that exists and
// one that doesn't are the same (S32, S33).
package web

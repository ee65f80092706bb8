// Package console is the operator's side of Hufu. A file here is one family of pages, with
// its templates in templates/console.
//
// Every route stands in one table (routes.go) with the right it needs. One place (serve.go)
// asks, before a page runs: is the request our own page's (S43), who is it, may they (S34-S37),
// have they proven lately who they are. A page of its own checks nothing of that.
//
// What somebody typed is never lost: when the session ended meanwhile, or a proof of identity
// is asked for, the fields travel along and are offered again.
//
// No page but the reveal of a code shows one; everywhere else stand its last four.
package console

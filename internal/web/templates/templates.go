// Package templates embeds the HTML of every page. Folders: layout holds the shells,
// components the partials, and each other folder the pages of one family ("shop/home.html"
// is the page "shop/home"). Package ui compiles and renders them.
package templates

import "embed"

// FS holds the templates, FOLDER/NAME.html.
//
//go:embed */*.html
var FS embed.FS

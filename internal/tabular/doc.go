// Package tabular reads the tables that suppliers send, and writes the ones people
// download, row by row in constant memory.
//
// It reads CSV and text (comma, tab, semicolon, bar, "----" or spaces between cells) in
// UTF-8, GBK/GB18030 and UTF-16, and XLSX. Everything about the file is found out from the
// file and can be overridden. What is read is foreign: a reader has limits on everything
// that could grow, and looks at the directory of an XLSX before it unpacks a byte.
//
// XLSX is read by a scanner of its own, because the file holds codes: the known library
// unpacks large sheets into files in clear, needs memory by the size of the sheet, and
// doesn't tell which cells are formulas. That library writes XLSX here.
package tabular

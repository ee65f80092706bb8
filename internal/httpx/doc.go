// Package httpx is what every request passes through before it reaches a page or an
// operation: it gets a trace number and a caller, a limit on its rate, a log line, safe
// headers, compression, and an answer in words should a handler panic.
package httpx

package httpx

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"strings"
)

// traceOf is the trace number of a request: that of a W3C traceparent, or of an
// X-Request-Id that a configured proxy sent, else a fresh one. It only ever is of a form
// that is safe in a log and on a page.
func traceOf(r *http.Request, fromProxy bool) string {
	if t, ok := parent(r.Header.Get("Traceparent")); ok {
		return t
	}
	if t := r.Header.Get("X-Request-Id"); fromProxy && plain(t) {
		return t
	}
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// parent reads "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context 3.2).
func parent(header string) (string, bool) {
	if len(header) < 55 || header[2] != '-' || header[35] != '-' || header[52] != '-' || header[:2] == "ff" || (len(header) > 55 && (header[:2] == "00" || header[55] != '-')) {
		return "", false
	}
	trace, span := header[3:35], header[36:52]
	if !lowerHex(header[:2]) || !lowerHex(trace) || !lowerHex(span) || !lowerHex(header[53:55]) || strings.Trim(trace, "0") == "" || strings.Trim(span, "0") == "" {
		return "", false
	}
	return trace, true
}

func lowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func plain(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

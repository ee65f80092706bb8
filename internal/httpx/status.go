package httpx

import (
	"net/http"

	"hufu/internal/fault"
)

// StatusOf is the HTTP status of a kind of fault: the one mapping there is, for the API and
// the pages alike.
func StatusOf(k fault.Kind) int {
	switch k {
	case fault.None:
		return http.StatusOK
	case fault.Invalid:
		return http.StatusBadRequest
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.Gone:
		return http.StatusGone
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.TooMany:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}

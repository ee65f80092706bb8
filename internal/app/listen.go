package app

import (
	"errors"
	"syscall"

	"hufu/internal/fault"
)

// listenFault says what to do when an address can't be served on.
func listenFault(err error, addr string) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fault.Wrap(err, fault.Invalid, "listen.in_use", "address", addr)
	case errors.Is(err, syscall.EACCES):
		return fault.Wrap(err, fault.Invalid, "listen.denied", "address", addr)
	default:
		return fault.Wrap(err, fault.Invalid, "listen.address", "address", addr)
	}
}

package app

import (
	"errors"
	"net"
	"syscall"

	"hufu/internal/fault"
)

// Listen takes an address to serve on.
func Listen(addr string) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, listenFault(err, addr)
	}
	return l, nil
}

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

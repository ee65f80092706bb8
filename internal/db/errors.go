package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"hufu/internal/fault"
)

var errNotMicros = errors.New("db: the column is not a number of microseconds")

// ErrStale is returned by a closure whose rows changed under it, to have Do or a Lane run
// it again on fresh ones.
var ErrStale = errors.New("db: a row changed between load and save")

// SQLite result codes (https://sqlite.org/rescode.html), matched by the low byte.
const (
	sqliteBusy       = 5
	sqliteLocked     = 6
	sqliteReadonly   = 8
	sqliteIOErr      = 10
	sqliteCorrupt    = 11
	sqliteFull       = 13
	sqliteCantOpen   = 14
	sqliteConstraint = 19
	sqliteNotADB     = 26
)

func sqliteCode(err error) int {
	var e interface{ Code() int }
	if errors.As(err, &e) {
		return e.Code()
	}
	return -1
}

func sqlState(err error) string {
	var e interface{ SQLState() string }
	if errors.As(err, &e) {
		return e.SQLState()
	}
	return ""
}

// retryable reports whether the database asks for the same transaction again.
func retryable(err error) bool {
	if errors.Is(err, ErrStale) {
		return true
	}
	var unsent interface{ SafeToRetry() bool }
	if errors.As(err, &unsent) && unsent.SafeToRetry() {
		return true // the connection was gone before anything was sent
	}
	switch sqlState(err) {
	case "40001", "40P01", "55P03": // serialization failure, deadlock, lock not available
		return true
	}
	switch sqliteCode(err) & 0xff {
	case sqliteBusy, sqliteLocked:
		return sqliteCode(err) > 0
	}
	return false
}

// lost reports whether the connection to the database went away.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	state := sqlState(err)
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) || strings.HasPrefix(state, "57P") || strings.HasPrefix(state, "08")
}

// IsUnique reports whether err is the violation of a unique constraint.
func IsUnique(err error) bool {
	if sqlState(err) == "23505" {
		return true
	}
	switch sqliteCode(err) {
	case 2067, 1555: // SQLITE_CONSTRAINT_UNIQUE, SQLITE_CONSTRAINT_PRIMARYKEY
		return true
	case 1811: // SQLITE_CONSTRAINT_TRIGGER: an append-only table speaks before its key
		_, says, _ := strings.Cut(rowThere, ",")
		return strings.Contains(err.Error(), says)
	}
	return false
}

// poisoned reports whether the store itself failed, so that nothing more may be promised
// through this connection.
func poisoned(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqliteIOErr, sqliteCorrupt, sqliteNotADB:
		return sqliteCode(err) > 0
	}
	return false
}

// asFault turns what a database says into a fault a caller can act on. Faults and errors
// of the closure itself pass unchanged.
func asFault(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	switch {
	case retryable(err):
		return fault.Wrap(err, fault.Unavailable, "db.busy")
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return fault.Wrap(err, fault.Unavailable, "unavailable")
	case lost(err):
		return fault.Wrap(err, fault.Unavailable, "db.unreachable")
	}
	if code := sqliteCode(err); code > 0 {
		switch code & 0xff {
		case sqliteFull:
			return fault.Wrap(err, fault.Unavailable, "db.full")
		case sqliteReadonly:
			return fault.Wrap(err, fault.Unavailable, "db.read_only")
		case sqliteIOErr:
			return fault.Wrap(err, fault.Unavailable, "db.io")
		case sqliteCorrupt, sqliteNotADB:
			return fault.Wrap(err, fault.Internal, "db.corrupt")
		case sqliteCantOpen:
			return fault.Wrap(err, fault.Unavailable, "db.file_gone")
		}
		return err
	}
	switch state := sqlState(err); {
	case state == "53100":
		return fault.Wrap(err, fault.Unavailable, "db.full")
	case state == "25006":
		return fault.Wrap(err, fault.Unavailable, "db.read_only")
	case strings.HasPrefix(state, "53"), strings.HasPrefix(state, "57"), strings.HasPrefix(state, "08"):
		return fault.Wrap(err, fault.Unavailable, "db.unreachable")
	case state != "":
		return err
	}
	// The PostgreSQL driver reports a refused or broken connection without a state.
	var dial interface{ Timeout() bool }
	if strings.Contains(err.Error(), "connect") || errors.As(err, &dial) {
		return fault.Wrap(err, fault.Unavailable, "db.unreachable")
	}
	return err
}

//go:build unix

package gateway

import (
	"os"
	"syscall"
)

// lockFile keeps a second gateway off the file; the system lets go when the process ends.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) }

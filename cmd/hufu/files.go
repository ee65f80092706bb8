package main

import (
	"errors"
	"io"
	"io/fs"
	"os"

	"hufu/internal/fault"
)

// openFile opens a file that a command is to read, or gives the standard input for "-".
func openFile(stdin io.Reader, path string) (io.ReadCloser, error) {
	if path == "-" {
		return io.NopCloser(stdin), nil
	}
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fault.New(fault.NotFound, "file.missing", "file", path)
	case err != nil:
		return nil, fault.Wrap(err, fault.Invalid, "file.unreadable", "file", path)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fault.New(fault.Invalid, "file.folder", "file", path)
	}
	return f, nil
}

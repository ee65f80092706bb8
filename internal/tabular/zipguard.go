package tabular

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"strings"

	"hufu/internal/fault"
)

const (
	endSize      = 22 // end of central directory record without its comment
	maxComment   = 1<<16 - 1
	entrySize    = 46  // smallest record of the central directory
	entryAverage = 300 // bytes of a record with its name and extras, generously
	zip64End     = 56 + 20
)

// openZip reads the directory of a zip archive and refuses it before anything is unpacked,
// when the directory itself, the number of entries or what they unpack to is over the
// limits, when a name leads out of the archive, or when two entries share a name.
// (archive/zip holds each entry to the size that the directory tells.)
func openZip(src io.ReaderAt, size int64, l Limits) (map[string]*zip.File, error) {
	if err := checkDirectory(src, size, l); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(src, size)
	if errors.Is(err, zip.ErrInsecurePath) {
		return nil, fault.New(fault.Invalid, "tabular.unsafe_path")
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Invalid, "tabular.damaged")
	}
	if len(z.File) > l.Entries {
		return nil, bomb()
	}
	files := make(map[string]*zip.File, len(z.File))
	left := uint64(l.Unpacked)
	for _, f := range z.File {
		if unsafeName(f.Name) || f.Mode()&fs.ModeSymlink != 0 {
			return nil, fault.New(fault.Invalid, "tabular.unsafe_path")
		}
		if f.Flags&1 != 0 {
			return nil, fault.New(fault.Invalid, "tabular.encrypted")
		}
		if _, twice := files[strings.ToLower(f.Name)]; twice {
			return nil, fault.New(fault.Invalid, "tabular.unsafe_path")
		}
		files[strings.ToLower(f.Name)] = f
		// Taken off what is left, as a sum of sizes that lie could run over.
		if f.UncompressedSize64 > left {
			return nil, bomb()
		}
		left -= f.UncompressedSize64
		if f.UncompressedSize64 > 1<<20 && f.UncompressedSize64/max(f.CompressedSize64, 1) > uint64(l.Ratio) {
			return nil, bomb()
		}
	}
	return files, nil
}

// checkDirectory looks at the end of the archive alone, so that a directory of a million
// entries is not even read.
func checkDirectory(src io.ReaderAt, size int64, l Limits) error {
	tail := make([]byte, min(size, endSize+maxComment))
	if _, err := src.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return readFault(err)
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || len(tail)-at < endSize {
		return fault.New(fault.Invalid, "tabular.truncated")
	}
	end := tail[at:]
	entries := int(binary.LittleEndian.Uint16(end[10:]))
	length := int64(binary.LittleEndian.Uint32(end[12:]))
	offset := int64(binary.LittleEndian.Uint32(end[16:]))
	// The directory is all that lies between its offset and this record; were it longer
	// than it says, archive/zip would read on.
	gap := size - int64(len(tail)) + int64(at) - offset - length
	if gap < 0 || gap > zip64End {
		return fault.New(fault.Invalid, "tabular.damaged")
	}
	if entries > l.Entries || length+gap > int64(l.Entries)*entryAverage || length < int64(entries)*entrySize {
		return bomb()
	}
	return nil
}

func unsafeName(name string) bool {
	return name == "" || strings.ContainsAny(name, "\\\x00:") || strings.HasPrefix(name, "/") || !fs.ValidPath(strings.TrimSuffix(name, "/"))
}

func bomb() error { return fault.New(fault.TooLarge, "tabular.bomb") }

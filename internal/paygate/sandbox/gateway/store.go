package gateway

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strconv"

	"hufu/internal/fault"
)

// record is one line of the file. What must be true together stands in one line, so a crash
// leaves all of it or nothing.
type record struct {
	Trade      *trade      `json:"trade,omitempty"`
	Deliveries []*delivery `json:"deliveries,omitempty"`
	Exchange   *exchange   `json:"exchange,omitempty"`
	Merchant   string      `json:"merchant,omitempty"` // whose Faults these are
	Faults     *Faults     `json:"faults,omitempty"`
}

// file is the append-only file of records, or nothing for a gateway that lives in memory.
type file struct {
	f    *os.File
	lock *os.File
	path string
	bad  error // the first failed write: nothing more is promised after it
}

// openFile reads every record and leaves the file ready to be added to. A last line without
// its line feed was being written when the power went: nobody was told of it, so it is cut off.
func openFile(path string, each func(record)) (*file, int, error) {
	if path == "" {
		return &file{}, 0, nil
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, fault.Wrap(err, fault.Invalid, "sandbox.file_unusable")
	}
	if err := lockFile(lock); err != nil {
		lock.Close()
		return nil, 0, fault.Wrap(err, fault.Conflict, "sandbox.file_in_use")
	}
	s := &file{lock: lock, path: path}
	lines, err := s.load(each)
	if err != nil {
		s.close()
		return nil, 0, err
	}
	return s, lines, nil
}

func (s *file) load(each func(record)) (lines int, err error) {
	unusable := func(err error) error { return fault.Wrap(err, fault.Invalid, "sandbox.file_unusable") }
	s.f, err = os.OpenFile(s.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, unusable(err)
	}
	in := bufio.NewReaderSize(s.f, 1<<16)
	var good int64
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, unusable(err)
		}
		lines++
		var r record
		if err := json.Unmarshal(line, &r); err != nil {
			return 0, fault.Wrap(err, fault.Invalid, "sandbox.file_damaged", "line", strconv.Itoa(lines))
		}
		each(r)
		good += int64(len(line))
	}
	if err := s.f.Truncate(good); err != nil {
		return 0, unusable(err)
	}
	if _, err := s.f.Seek(good, io.SeekStart); err != nil {
		return 0, unusable(err)
	}
	return lines, nil
}

// add appends a record; durable ones are on disk when it returns.
func (s *file) add(r record, durable bool) error {
	if s.f == nil {
		return nil
	}
	if s.bad != nil {
		return s.bad
	}
	line, err := json.Marshal(r)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "internal")
	}
	if _, err = s.f.Write(append(line, '\n')); err == nil && durable {
		err = s.f.Sync()
	}
	if err != nil {
		s.bad = fault.Wrap(err, fault.Unavailable, "sandbox.file_unusable")
		return s.bad
	}
	return nil
}

// rewrite replaces the file by these records alone.
func (s *file) rewrite(records []record) error {
	if s.f == nil {
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, r := range records {
		if err := enc.Encode(r); err != nil {
			return fault.Wrap(err, fault.Internal, "internal")
		}
	}
	unusable := func(err error) error { return fault.Wrap(err, fault.Invalid, "sandbox.file_unusable") }
	next, err := os.OpenFile(s.path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return unusable(err)
	}
	_, err = next.Write(b.Bytes())
	if err == nil {
		err = next.Sync()
	}
	if err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err != nil {
		next.Close()
		return unusable(err)
	}
	s.f.Close()
	s.f = next
	return nil
}

func (s *file) close() error {
	var err error
	if s.f != nil {
		err = s.f.Close()
	}
	if s.lock != nil {
		s.lock.Close()
	}
	return err
}

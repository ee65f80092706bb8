package verify

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"hufu/internal/audit"
	"hufu/internal/fault"
)

// ReadCheckpoint reads a head of the audit trail from a file; nil when there is no file
// yet. Its fault is verify.checkpoint.
func ReadCheckpoint(path string) (*audit.Head, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var c struct {
		Seq  int64  `json:"seq"`
		Hash string `json:"hash"`
	}
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	sum, bad := hex.DecodeString(c.Hash)
	if err != nil || bad != nil || c.Seq < 0 || len(sum) != 32 {
		return nil, fault.Wrap(errors.Join(err, bad), fault.Invalid, "verify.checkpoint", "file", path)
	}
	return &audit.Head{Seq: c.Seq, Hash: c.Hash}, nil
}

// WriteCheckpoint replaces the file by a newer head, whole or not at all. Its fault is
// verify.checkpoint_write.
func WriteCheckpoint(path string, h audit.Head) error {
	raw, err := json.Marshal(map[string]any{"seq": h.Seq, "hash": h.Hash})
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".checkpoint-*")
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "verify.checkpoint_write", "file", path)
	}
	_, err = f.Write(append(raw, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
		return fault.Wrap(err, fault.Invalid, "verify.checkpoint_write", "file", path)
	}
	return nil
}

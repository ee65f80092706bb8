package vault

import (
	"bufio"
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"hufu/internal/fault"
	"hufu/internal/id"
)

const (
	keyFileHead = `# Hufu master keys. Without this file no code in the database can be read, ever.
# Keep a copy apart from the database and its backups. Nobody else may read it (mode 0600).
# One line a key: id, date of creation, key, state (active or retiring). The last line ends the file.
`
	keyFileEnd = "# end"
	maxKeyFile = 1 << 20
)

// FileMaster keeps master keys in a file of the machine. It implements Master.
type FileMaster struct {
	path   string
	keys   map[id.Key]masterKey
	order  []id.Key
	active masterKey
}

type masterKey struct {
	id      id.Key
	created time.Time
	secret  Secret
	state   State
	aead    cipher.AEAD
}

var _ Master = (*FileMaster)(nil)

// String names the file, nothing else.
func (f *FileMaster) String() string { return "key file " + f.path }

// ID implements Master.
func (f *FileMaster) ID() id.Key { return f.active.id }

// OpenKeyFile reads the master keys in the file. Its faults each name the path and the
// remedy: vault.keys_missing, keys_exposed (others may read it), keys_empty,
// keys_truncated (its end is cut off), keys_form (a line is not as it should be),
// keys_active (none or several active keys), keys_unreadable.
func OpenKeyFile(path string) (*FileMaster, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Internal, "vault.keys_missing", "path", path)
	}
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "vault.keys_unreadable", "path", path)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKeyFile {
		return nil, fault.New(fault.Internal, "vault.keys_form", "path", path, "line", "1")
	}
	// Windows has no such mode bits; there the folder's access list protects the file.
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, fault.New(fault.Internal, "vault.keys_exposed", "path", path, "mode", fmt.Sprintf("%04o", info.Mode().Perm()))
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "vault.keys_unreadable", "path", path)
	}
	defer clear(raw)
	return parseKeyFile(path, raw)
}

func parseKeyFile(path string, raw []byte) (*FileMaster, error) {
	at := func(code string, line int) error {
		return fault.New(fault.Internal, code, "path", path, "line", strconv.Itoa(line))
	}
	if len(bytes.TrimSpace(raw)) == 0 {
		return nil, at("vault.keys_empty", 0)
	}
	f := &FileMaster{path: path, keys: map[id.Key]masterKey{}}
	ended := false
	line := 0
	for s := bufio.NewScanner(bytes.NewReader(raw)); s.Scan(); {
		line++
		text := strings.TrimSpace(s.Text())
		if text == keyFileEnd {
			ended = true
			break
		}
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		k, ok := parseMasterKey(text)
		if !ok {
			if !bytes.Contains(raw, []byte("\n"+keyFileEnd)) {
				return nil, at("vault.keys_truncated", line)
			}
			return nil, at("vault.keys_form", line)
		}
		if _, twice := f.keys[k.id]; twice {
			return nil, at("vault.keys_form", line)
		}
		if k.state == Active {
			if f.active.id != "" {
				return nil, at("vault.keys_active", line)
			}
			f.active = k
		}
		f.keys[k.id] = k
		f.order = append(f.order, k.id)
	}
	switch {
	case !ended:
		return nil, at("vault.keys_truncated", line)
	case len(f.keys) == 0:
		return nil, at("vault.keys_empty", line)
	case f.active.id == "":
		return nil, at("vault.keys_active", line)
	}
	return f, nil
}

func parseMasterKey(text string) (masterKey, bool) {
	parts := strings.Fields(text)
	if len(parts) != 4 {
		return masterKey{}, false
	}
	k := masterKey{state: State(parts[3])}
	var err error
	if k.id, err = id.Parse[id.Key](parts[0]); err != nil {
		return masterKey{}, false
	}
	if k.created, err = time.Parse(time.RFC3339, parts[1]); err != nil {
		return masterKey{}, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(b) != keySize || (k.state != Active && k.state != Retiring) {
		return masterKey{}, false
	}
	k.secret = NewSecret(b)
	clear(b)
	k.aead = newAEAD(k.secret.Bytes())
	return k, true
}

func newMasterKey(now time.Time) masterKey {
	var b [keySize]byte
	_, _ = rand.Read(b[:])
	s := NewSecret(b[:])
	clear(b[:])
	return masterKey{id: id.New[id.Key](), created: now.UTC(), secret: s, state: Active, aead: newAEAD(s.Bytes())}
}

// CreateKeyFile makes a file with one new master key. A file that is there already is left
// alone, with fault vault.keys_exist.
func CreateKeyFile(path string, now time.Time) (*FileMaster, error) {
	k := newMasterKey(now)
	f := &FileMaster{path: path, keys: map[id.Key]masterKey{k.id: k}, order: []id.Key{k.id}, active: k}
	tmp, err := f.writeTemp()
	if err != nil {
		return nil, err
	}
	defer os.Remove(tmp)
	// A link, unlike a rename, fails when the name is taken, so two first starts at once
	// can't overwrite each other's key.
	if err := os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		return nil, fault.New(fault.Conflict, "vault.keys_exist", "path", path)
	} else if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "vault.keys_unwritable", "path", path)
	}
	return f, syncDir(filepath.Dir(path))
}

// Rotate adds a new active master key to the file; the one before stays, retiring, until every
// key it wraps has been wrapped anew (Rewrap). The file is replaced in one step. The
// receiver goes on unchanged; the rotated master is returned.
func (f *FileMaster) Rotate(now time.Time) (*FileMaster, error) {
	k := newMasterKey(now)
	n := &FileMaster{path: f.path, keys: map[id.Key]masterKey{k.id: k}, active: k}
	for _, old := range f.order {
		m := f.keys[old]
		m.state = Retiring
		n.keys[old] = m
		n.order = append(n.order, old)
	}
	n.order = append(n.order, k.id)
	return n, n.replace()
}

// Drop takes a retiring master key out of the file, once no stored key names it.
func (f *FileMaster) Drop(key id.Key) (*FileMaster, error) {
	if k, ok := f.keys[key]; !ok || k.state == Active {
		return nil, fault.New(fault.Conflict, "vault.keys_in_use", "key", string(key))
	}
	n := &FileMaster{path: f.path, keys: map[id.Key]masterKey{}, active: f.active}
	for _, other := range f.order {
		if other != key {
			n.keys[other] = f.keys[other]
			n.order = append(n.order, other)
		}
	}
	return n, n.replace()
}

// Masters lists the ids of all master keys, oldest first.
func (f *FileMaster) Masters() []id.Key { return append([]id.Key(nil), f.order...) }

func (f *FileMaster) replace() error {
	tmp, err := f.writeTemp()
	if err != nil {
		return err
	}
	if err := os.Rename(tmp, f.path); err != nil {
		_ = os.Remove(tmp)
		return fault.Wrap(err, fault.Internal, "vault.keys_unwritable", "path", f.path)
	}
	return syncDir(filepath.Dir(f.path))
}

// writeTemp writes the whole file, durably, beside its place and returns the name.
func (f *FileMaster) writeTemp() (string, error) {
	var b bytes.Buffer
	defer func() { clear(b.Bytes()) }()
	b.WriteString(keyFileHead)
	for _, i := range f.order {
		k := f.keys[i]
		fmt.Fprintf(&b, "%s %s %s %s\n", k.id, k.created.Format(time.RFC3339), base64.StdEncoding.EncodeToString(k.secret.Bytes()), string(k.state))
	}
	b.WriteString(keyFileEnd + "\n")
	fail := func(err error) (string, error) {
		return "", fault.Wrap(err, fault.Internal, "vault.keys_unwritable", "path", f.path)
	}
	t, err := os.CreateTemp(filepath.Dir(f.path), ".hufu-keys-*") // made with mode 0600
	if err != nil {
		return fail(err)
	}
	_, err = t.Write(b.Bytes())
	err = errors.Join(err, t.Sync(), t.Close())
	if err != nil {
		_ = os.Remove(t.Name())
		return fail(err)
	}
	return t.Name(), nil
}

// syncDir makes a new name in the folder durable. Windows can't, and needs it not.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fault.Wrap(err, fault.Internal, "vault.keys_unwritable", "path", dir)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fault.Wrap(err, fault.Internal, "vault.keys_unwritable", "path", dir)
	}
	return nil
}

package vault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"hufu/internal/fault"
	"hufu/internal/i18n"
	"hufu/internal/id"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

func newMaster(t testing.TB) *FileMaster {
	t.Helper()
	m, err := CreateKeyFile(filepath.Join(t.TempDir(), "keys"), now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newKeys(t testing.TB, m Master) []WrappedKey {
	t.Helper()
	var all []WrappedKey
	for _, p := range Purposes {
		all = append(all, newKey(t, m, p))
	}
	return all
}

func newKey(t testing.TB, m Master, p Purpose) WrappedKey {
	t.Helper()
	w, err := NewKey(t.Context(), m, p, now)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func newKeyring(t testing.TB) *Keyring {
	t.Helper()
	m := newMaster(t)
	k, err := OpenKeyring(t.Context(), m, newKeys(t, m))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestSealedRecordOpensForItsCodeOnly(t *testing.T) {
	k := newKeyring(t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) Hidden { return Hidden(rapid.String().Draw(t, "text")) })
		r := Record{text.Draw(t, "code"), text.Draw(t, "serial"), text.Draw(t, "account"), text.Draw(t, "password"), text.Draw(t, "note")}
		mine, other := id.New[id.Code](), id.New[id.Code]()
		s := k.Seal(mine, r)
		if got, err := k.Open(mine, s); err != nil || got != r {
			t.Fatalf("%v, same %v", err, got == r)
		}
		if _, err := k.Open(other, s); fault.CodeOf(err) != "vault.sealed_damaged" {
			t.Fatalf("a moved record: %v", err)
		}
		s.Body = bytes.Clone(s.Body)
		s.Body[rapid.IntRange(0, len(s.Body)-1).Draw(t, "at")] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		if _, err := k.Open(mine, s); fault.CodeOf(err) != "vault.sealed_damaged" {
			t.Fatalf("a changed record: %v", err)
		}
		s.Body = s.Body[:rapid.IntRange(0, len(s.Body)-1).Draw(t, "cut")]
		if _, err := k.Open(mine, s); fault.CodeOf(err) != "vault.sealed_damaged" {
			t.Fatalf("a cut record: %v", err)
		}
	})
}

// Two records of one text have nothing in common but their length.
func TestNoncesAreNeverUsedTwice(t *testing.T) {
	s := newKeyring(t).Many()
	seen := map[string]bool{}
	code := id.New[id.Code]()
	for range 2000 {
		nonce := string(s.Seal(code, Record{Code: "x"}).Body[1 : 1+nonceSize])
		if seen[nonce] {
			t.Fatal("a nonce came again")
		}
		seen[nonce] = true
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add(Record{Code: "a", Note: "b"}.Append(nil))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := DecodeRecord(b); err == nil {
			if again, err := DecodeRecord(r.Append(nil)); err != nil || again != r {
				t.Fatalf("%x does not come back", b)
			}
		}
	})
}

func TestIndexTellsIssuersAndKeysApart(t *testing.T) {
	k, other := newKeyring(t), newKeyring(t)
	if first, again := k.Index("a", "bc"), k.Index("a", "bc"); first != again {
		t.Error("not a function")
	}
	if k.Index("a", "bc") == k.Index("ab", "c") || k.Index("a", "x") == k.Index("b", "x") {
		t.Error("issuers share an index")
	}
	if k.Index("a", "x") == other.Index("a", "x") {
		t.Error("not keyed")
	}
	if long := strings.Repeat("x", 5000); k.Index("a", long) == k.Index("a", long[1:]) {
		t.Error("the end of a long text is not in the index")
	}
}

// S13: during a rotation every record opens and every look-up finds, whatever was written when.
func TestRotationUnderLoad(t *testing.T) {
	m := newMaster(t)
	keys := newKeys(t, m)
	k, err := OpenKeyring(t.Context(), m, keys)
	if err != nil {
		t.Fatal(err)
	}
	code := id.New[id.Code]()
	want := Record{Code: "CANARY"}
	first, firstIndex := k.Seal(code, want), k.Index("i", "CANARY")

	stop := make(chan struct{})
	var load sync.WaitGroup
	for range 3 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if got, err := k.Open(code, first); err != nil || got != want {
					t.Errorf("an old record: %v", err)
					return
				}
				if got, err := k.Open(code, k.Seal(code, want)); err != nil || got != want {
					t.Errorf("a new record: %v", err)
					return
				}
				found := false
				for _, x := range k.Lookups("i", "CANARY") {
					found = found || x == firstIndex
				}
				if !found {
					t.Error("a code is not found while its index key changes")
					return
				}
			}
		})
	}
	var master Master = m
	for range 5 {
		rotated, err := master.(*FileMaster).Rotate(now)
		if err != nil {
			t.Fatal(err)
		}
		master = rotated
		for i := range keys {
			if keys[i], err = Rewrap(t.Context(), master, keys[i]); err != nil {
				t.Fatal(err)
			}
			if (keys[i].Purpose == ForData || keys[i].Purpose == ForIndex) && keys[i].State == Active {
				keys[i].State = Retiring
			}
		}
		keys = append(keys, newKey(t, master, ForData), newKey(t, master, ForIndex))
		if err := k.Reload(t.Context(), master, keys); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	load.Wait()

	if first.Key == k.ActiveData() {
		t.Fatal("the data key did not change")
	}
	moved, changed, err := k.Reseal(code, first)
	if err != nil || !changed || moved.Key != k.ActiveData() {
		t.Fatal(err, changed)
	}
	if _, changed, err = k.Reseal(code, moved); changed || err != nil {
		t.Fatal("resealed twice", err)
	}
	// Old masters can go, as no key is wrapped by them any more; the data key too.
	file := master.(*FileMaster)
	for _, old := range file.Masters() {
		if old == file.ID() {
			continue
		}
		if file, err = file.Drop(old); err != nil {
			t.Fatal(err)
		}
	}
	for i := range keys {
		if keys[i].ID == first.Key {
			keys[i].State = Retired
		}
	}
	file, err = OpenKeyFile(file.path)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(t.Context(), file, keys); err != nil {
		t.Fatal(err)
	}
	if got, err := k.Open(code, moved); err != nil || got != want {
		t.Fatal(err)
	}
	if _, err := k.Open(code, first); fault.CodeOf(err) != "vault.key_gone" {
		t.Fatal(err)
	}
	if _, err := file.Drop(file.ID()); fault.CodeOf(err) != "vault.keys_in_use" {
		t.Fatal(err)
	}
}

func TestWrongMasterIsNamed(t *testing.T) {
	m, stranger := newMaster(t), newMaster(t)
	keys := newKeys(t, m)
	if _, err := OpenKeyring(t.Context(), stranger, keys); fault.CodeOf(err) != "vault.keys_unknown" {
		t.Error(err)
	}
	// The right id over other bytes.
	forged := &FileMaster{path: "keys", active: stranger.active, keys: map[id.Key]masterKey{m.ID(): stranger.active}}
	if _, err := OpenKeyring(t.Context(), forged, keys); fault.CodeOf(err) != "vault.keys_wrong" {
		t.Error(err)
	}
	// A key wrapped for another purpose, or under another id.
	swapped := append([]WrappedKey(nil), keys...)
	swapped[0].Purpose, swapped[1].Purpose = swapped[1].Purpose, swapped[0].Purpose
	if _, err := OpenKeyring(t.Context(), m, swapped); fault.CodeOf(err) != "vault.keys_wrong" {
		t.Error(err)
	}
	for i := range keys {
		without := append(append([]WrappedKey(nil), keys[:i]...), keys[i+1:]...)
		if _, err := OpenKeyring(t.Context(), m, without); fault.CodeOf(err) != "vault.keys_incomplete" {
			t.Error(err)
		}
		twice := append(append([]WrappedKey(nil), keys...), newKey(t, m, keys[i].Purpose))
		if _, err := OpenKeyring(t.Context(), m, twice); fault.CodeOf(err) != "vault.keys_incomplete" {
			t.Error(err)
		}
	}
	// A failed reload changes nothing.
	k, err := OpenKeyring(t.Context(), m, keys)
	if err != nil {
		t.Fatal(err)
	}
	s := k.Seal("cod_x", Record{Code: "y"})
	if k.Reload(t.Context(), stranger, keys) == nil {
		t.Fatal("reloaded under a stranger")
	}
	if _, err := k.Open("cod_x", s); err != nil {
		t.Fatal(err)
	}
}

// F33: each way in which a key file can be wrong stops the start with its own sentence.
func TestKeyFileFaults(t *testing.T) {
	good := func() (string, string) {
		m := newMaster(t)
		raw, err := os.ReadFile(m.path)
		if err != nil {
			t.Fatal(err)
		}
		return m.path, string(raw)
	}
	path, text := good()
	keyLine := ""
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "key_") {
			keyLine = line
		}
	}
	second := strings.Replace(keyLine, keyLine[:30], string(id.New[id.Key]()), 1)
	for name, c := range map[string]struct{ text, code string }{
		"empty":           {"", "vault.keys_empty"},
		"blank":           {"\n  \n", "vault.keys_empty"},
		"comments":        {keyFileHead + keyFileEnd + "\n", "vault.keys_empty"},
		"cut in the line": {text[:len(text)-30], "vault.keys_truncated"},
		"cut at the line": {strings.TrimSuffix(text, keyFileEnd+"\n"), "vault.keys_truncated"},
		"short key":       {strings.Replace(text, keyLine, strings.Replace(keyLine, "= active", " active", 1), 1), "vault.keys_form"},
		"other state":     {strings.Replace(text, " active\n", " retired\n", 1), "vault.keys_form"},
		"twice":           {strings.Replace(text, keyLine, keyLine+keyLine, 1), "vault.keys_form"},
		"two active":      {strings.Replace(text, keyLine, keyLine+second, 1), "vault.keys_active"},
		"none active":     {strings.Replace(text, " active\n", " retiring\n", 1), "vault.keys_active"},
		"binary":          {"\x00\x01\x02\n" + keyFileEnd, "vault.keys_form"},
	} {
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyFile(path)
		checkKeyFault(t, name, err, c.code, path)
	}
	path, _ = good()
	for _, mode := range []os.FileMode{0o640, 0o604, 0o644, 0o660} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := OpenKeyFile(path)
		checkKeyFault(t, "exposed", err, "vault.keys_exposed", path)
	}
	_, err := OpenKeyFile(path + "x")
	checkKeyFault(t, "missing", err, "vault.keys_missing", path+"x")
	_, err = CreateKeyFile(path, now)
	checkKeyFault(t, "exists", err, "vault.keys_exist", path)
	_, err = CreateKeyFile(filepath.Join(path, "below a file"), now)
	checkKeyFault(t, "unwritable", err, "vault.keys_unwritable", path)
	_, err = OpenKeyFile(filepath.Dir(path))
	checkKeyFault(t, "folder", err, "vault.keys_form", filepath.Dir(path))
}

func checkKeyFault(t *testing.T, name string, err error, code, path string) {
	t.Helper()
	if fault.CodeOf(err) != code {
		t.Errorf("%s: %v, want %s", name, err, code)
		return
	}
	for _, l := range i18n.Langs {
		text := l.Fault(fault.From(err))
		if !strings.Contains(text, path) || strings.ContainsAny(text, "{}⟦") {
			t.Errorf("%s: %s says %q", name, l, text)
		}
	}
}

func TestKeyFileKeepsItsModeAndItsKeys(t *testing.T) {
	m := newMaster(t)
	rotated, err := m.Rotate(now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(m.path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	read, err := OpenKeyFile(m.path)
	if err != nil {
		t.Fatal(err)
	}
	if read.ID() != rotated.ID() || len(read.Masters()) != 2 || read.Masters()[0] != m.ID() {
		t.Fatalf("%v after %v", read.Masters(), m.ID())
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(m.path), ".hufu-keys-*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// S14: whatever prints what the vault hands out, the canary is not in it.
func TestCanaryIsNeverPrinted(t *testing.T) {
	const canary = "CANARY-7KQ2"
	secret := NewSecret([]byte(canary))
	k := newKeyring(t)
	s := k.Seal("cod_x", Record{Code: canary})
	_, err := k.Open("cod_y", s)
	_, parseErr := DefaultFormat.Parse(canary)
	inside := struct {
		secret Secret
		Record Record
		Ring   *Keyring
		err    error
	}{secret, Record{Code: canary, Password: canary}, k, errors.Join(err, parseErr)}
	var out bytes.Buffer
	for _, v := range []any{secret, &secret, Hidden(canary), Record{Note: canary}, inside, &inside, s, []Hidden{canary}, map[int]Hidden{1: canary}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("x", "v", v)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "v", v)
		if j, err := json.Marshal(v); err == nil {
			out.Write(j)
		}
	}
	for _, form := range []string{canary, fmt.Sprintf("%x", canary), fmt.Sprintf("%X", canary), fmt.Sprint([]byte(canary)), strings.Trim(fmt.Sprint([]byte(canary)), "[]")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("%s is in the output", form)
		}
	}
	if bytes.Contains(s.Body, []byte(canary)) {
		t.Error("sealed in clear")
	}
}

func TestMask(t *testing.T) {
	for secret, want := range map[string]string{"": "••••", "12345": "••••", "123456": "••••56", "0123456789ab": "••••89ab", "密码密码密码密码密码密码甲乙丙丁": "••••甲乙丙丁"} {
		if got := Mask(secret); got != want {
			t.Errorf("Mask(%q) = %q", secret, got)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	s := newKeyring(b).Many()
	r := Record{Code: "HUFU0123456789ABCDEFGHJKMN"}
	code := id.New[id.Code]()
	b.ReportAllocs()
	for b.Loop() {
		s.Seal(code, r)
	}
}

func BenchmarkIndex(b *testing.B) {
	k := newKeyring(b)
	b.ReportAllocs()
	for b.Loop() {
		k.Index("iss", "HUFU0123456789ABCDEFGHJKMN")
	}
}

var _ Master = kms{}

// kms stands for a key management service that is down.
type kms struct{}

var errDown = fault.New(fault.Unavailable, "unavailable")

func (kms) ID() id.Key { return "key_remote" }
func (kms) Wrap(context.Context, Secret, []byte) ([]byte, []byte, error) {
	return nil, nil, errDown
}
func (kms) Unwrap(context.Context, id.Key, []byte, []byte, []byte) (Secret, error) {
	return Secret{}, errDown
}

func TestServiceThatIsDownIsPassedOn(t *testing.T) {
	if _, err := NewKey(t.Context(), kms{}, ForData, now); !errors.Is(err, errDown) {
		t.Error(err)
	}
	if _, err := OpenKeyring(t.Context(), kms{}, newKeys(t, newMaster(t))); !errors.Is(err, errDown) {
		t.Error(err)
	}
}

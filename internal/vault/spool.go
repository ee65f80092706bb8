package vault

import (
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"strconv"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/id"
)

// A supplier's file is kept in the database, in sealed pieces, until it isn't needed any
// more: whichever process carries the import on has it, and no disk has it in clear.
const spoolPiece = 256 << 10

var (
	insertPiece = db.Rows("vault.insert_piece", `INSERT INTO import_files {{values import_id text, piece bigint, body bytes}}`)
	selectPiece = db.SQL("vault.piece", `SELECT body FROM import_files WHERE import_id = $1 AND piece = $2`)
	dropPieces  = db.SQL("vault.drop_pieces", `DELETE FROM import_files WHERE import_id = $1`)
)

// spoolAEAD seals the pieces of one import's file.
func (k *Keyring) spoolAEAD(i id.Import) cipher.AEAD {
	h := hmac.New(sha256.New, k.set.Load().link.Bytes())
	h.Write([]byte("hufu.spool\x00" + string(i)))
	return newAEAD(h.Sum(nil))
}

func spoolBound(piece int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(piece)) }

// Receive keeps a file for an import, piece by piece, each in a transaction of its own. It
// returns size and hash. Its faults are vault.import_large and what the database says;
// an error of the source comes back as vault.import_upload.
func Receive(ctx context.Context, d *db.DB, k *Keyring, i id.Import, src io.Reader) (size int64, hash string, err error) {
	aead, sum := k.spoolAEAD(i), sha256.New()
	plain := make([]byte, spoolPiece)
	for piece := int64(0); ; piece++ {
		n, err := io.ReadFull(src, plain)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return 0, "", fault.Wrap(err, fault.Invalid, "vault.import_upload")
		}
		if n == 0 {
			break
		}
		if size += int64(n); size > MaxImportFile {
			return 0, "", fault.New(fault.TooLarge, "vault.import_large", "limit_mb", strconv.Itoa(MaxImportFile>>20))
		}
		sum.Write(plain[:n])
		body := make([]byte, nonceSize, nonceSize+n+aead.Overhead())
		_, _ = rand.Read(body)
		body = aead.Seal(body, body, plain[:n], spoolBound(piece))
		if err := d.Do(ctx, func(tx *db.Tx) error {
			return tx.WriteAll(ctx, insertPiece, 1, func(_ int, b *db.Binder) { b.Text(string(i)).Int(piece).Bytes(body) })
		}); err != nil {
			return 0, "", err
		}
		if n < spoolPiece {
			break
		}
	}
	clear(plain)
	return size, hex.EncodeToString(sum.Sum(nil)), nil
}

// ErrFileGone is the fault of reading a file that isn't kept any more.
var ErrFileGone = fault.New(fault.Gone, "vault.import_file_gone")

// spool reads the file of an import. It serves one goroutine.
type spool struct {
	ctx   context.Context
	db    *db.DB
	aead  cipher.AEAD
	id    id.Import
	size  int64
	cache [8]struct {
		piece int64
		plain []byte
	}
}

// OpenSpool reads the file that an import has received.
func OpenSpool(ctx context.Context, d *db.DB, k *Keyring, i *Import) io.ReaderAt {
	return &spool{ctx: ctx, db: d, aead: k.spoolAEAD(i.ID), id: i.ID, size: i.FileSize}
}

// ReadAt implements io.ReaderAt.
func (s *spool) ReadAt(p []byte, off int64) (n int, err error) {
	for n < len(p) {
		if off >= s.size {
			return n, io.EOF
		}
		plain, err := s.piece(off / spoolPiece)
		if err != nil {
			return n, err
		}
		within := off % spoolPiece
		if within >= int64(len(plain)) {
			return n, io.ErrUnexpectedEOF
		}
		k := copy(p[n:], plain[within:])
		n += k
		off += int64(k)
	}
	return n, nil
}

func (s *spool) piece(piece int64) ([]byte, error) {
	c := &s.cache[piece%int64(len(s.cache))]
	if c.plain != nil && c.piece == piece {
		return c.plain, nil
	}
	var body []byte
	err := s.db.View(s.ctx, func(tx *db.Tx) error {
		found, err := tx.One(s.ctx, selectPiece, []any{&body}, s.id, piece)
		if err == nil && !found {
			err = ErrFileGone
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(body) < nonceSize {
		return nil, errDamaged()
	}
	plain, err := s.aead.Open(nil, body[:nonceSize], body[nonceSize:], spoolBound(piece))
	if err != nil {
		return nil, errDamaged()
	}
	c.piece, c.plain = piece, plain
	return plain, nil
}

// DropFile removes the file of an import; its record stays.
func DropFile(ctx context.Context, tx *db.Tx, i id.Import) error {
	_, err := tx.Exec(ctx, dropPieces, i)
	return err
}

// DropReceiving removes an import whose file never came in whole.
func DropReceiving(ctx context.Context, tx *db.Tx, i id.Import) error {
	if err := DropFile(ctx, tx, i); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, dropImport, i)
	return err
}

// StaleImports lists imports that stopped coming in before a moment, and ones that ended
// before another and still have a file.
func StaleImports(ctx context.Context, tx *db.Tx, receiving, ended time.Time) ([]id.Import, error) {
	return ids[id.Import](ctx, tx, staleImports, db.Micros(receiving), db.Micros(ended))
}

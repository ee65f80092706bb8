// Package audit is the trail of what people with power did (审计): sign-ins, refusals,
// reveals, exports, refunds, changes of prices, stock, settings and keys. A row is written
// in the transaction of the act itself.
//
// Rows form one hash chain: each covers the one before, so an edited or missing row shows.
// A cut tail shows only against a checkpoint kept elsewhere; Head is what to keep.
package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Row is one act.
type Row struct {
	ID      id.Audit
	Seq     int64
	At      time.Time
	Actor   string // a party's id, "system", or "anonymous"
	Action  string // "code.reveal"
	Subject string // what it was done to, usually an id
	Origin  string // address the request came from
	Result  string // "ok" or the code of the refusal
	Data    map[string]string
}

const chain = "main"

var (
	ensureHead = db.SQL("audit.ensure_head", `INSERT INTO audit_heads (chain, seq, hash) VALUES ($1, 0, $2) ON CONFLICT DO NOTHING`)
	lockHead   = db.SQL("audit.lock_head", `SELECT seq, hash FROM audit_heads WHERE chain = $1 {{for update}}`)
	moveHead   = db.SQL("audit.move_head", `UPDATE audit_heads SET seq = $1, hash = $2 WHERE chain = $3`)
	insertRow  = db.Rows("audit.insert", `INSERT INTO audit_rows {{values chain text, seq bigint, id text, at bigint, actor text, action text, subject text, origin text, result text, data text, hash bytes}}`)
	listRows   = db.SQL("audit.list", `SELECT id, seq, at, actor, action, subject, origin, result, data FROM audit_rows WHERE chain = 'main' AND seq < $1 ORDER BY seq DESC LIMIT $2`)
	ofSubject  = db.SQL("audit.of_subject", `SELECT id, seq, at, actor, action, subject, origin, result, data FROM audit_rows WHERE subject = $1 ORDER BY seq`)
	walkRows   = db.SQL("audit.walk", `SELECT id, seq, at, actor, action, subject, origin, result, data, hash FROM audit_rows WHERE chain = 'main' AND seq > $1 ORDER BY seq LIMIT $2`)
)

// Write adds rows to the trail. It locks the head of the chain until the commit, so it
// comes last in a transaction and never on a hot path.
func Write(ctx context.Context, tx *db.Tx, rows ...Row) error {
	if len(rows) == 0 {
		return nil
	}
	if _, err := tx.Exec(ctx, ensureHead, chain, make([]byte, sha256.Size)); err != nil {
		return err
	}
	var seq int64
	var head []byte
	if _, err := tx.One(ctx, lockHead, []any{&seq, &head}, chain); err != nil {
		return err
	}
	hashes, data := make([][]byte, len(rows)), make([]string, len(rows))
	for i := range rows {
		r := &rows[i]
		r.ID, r.Seq = id.New[id.Audit](), seq+int64(i)+1
		if r.Result == "" {
			r.Result = "ok"
		}
		d, err := json.Marshal(r.Data) // the keys of a map are written in order
		if err != nil {
			return err
		}
		data[i] = string(d)
		head = Sum(head, *r, data[i])
		hashes[i] = head
	}
	if err := tx.WriteAll(ctx, insertRow, len(rows), func(i int, b *db.Binder) {
		r := rows[i]
		b.Text(chain).Int(r.Seq).Text(string(r.ID)).Time(r.At).Text(r.Actor).Text(r.Action).Text(r.Subject).Text(r.Origin).Text(r.Result).Text(data[i]).Bytes(hashes[i])
	}); err != nil {
		return err
	}
	return tx.ExecOne(ctx, moveHead, seq+int64(len(rows)), head, chain)
}

// Sum is the hash of a row after the one before it: SHA-256 over the former hash and each
// part behind its length.
func Sum(before []byte, r Row, data string) []byte {
	h := sha256.New()
	h.Write(before)
	var n [8]byte
	number := func(v int64) {
		binary.BigEndian.PutUint64(n[:], uint64(v))
		h.Write(n[:])
	}
	number(r.Seq)
	number(r.At.UnixMicro())
	for _, s := range []string{string(r.ID), r.Actor, r.Action, r.Subject, r.Origin, r.Result, data} {
		number(int64(len(s)))
		h.Write([]byte(s))
	}
	return h.Sum(nil)
}

func scanRow(scan func(...any) error, r *Row, data *string, more ...any) error {
	err := scan(append([]any{&r.ID, &r.Seq, db.Time(&r.At), &r.Actor, &r.Action, &r.Subject, &r.Origin, &r.Result, data}, more...)...)
	if err == nil {
		err = json.Unmarshal([]byte(*data), &r.Data)
	}
	return err
}

func load(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Row, error) {
	var out []Row
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var r Row
		var data string
		err := scanRow(scan, &r, &data)
		out = append(out, r)
		return err
	}, args...)
	return out, err
}

// List gives the newest rows before a number (0: the newest of all), at most n.
func List(ctx context.Context, tx *db.Tx, before int64, n int) ([]Row, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	return load(ctx, tx, listRows, before, n)
}

// Of gives everything that was done to a subject, in order.
func Of(ctx context.Context, tx *db.Tx, subject string) ([]Row, error) {
	return load(ctx, tx, ofSubject, subject)
}

// Head is the end of the trail, to be kept outside the database.
type Head struct {
	Seq  int64
	Hash string // hexadecimal
}

// End tells the head of the trail as the database has it.
func End(ctx context.Context, tx *db.Tx) (Head, error) {
	var h Head
	var sum []byte
	_, err := tx.One(ctx, lockHeadless, []any{&h.Seq, &sum}, chain)
	h.Hash = hex.EncodeToString(sum)
	return h, err
}

var lockHeadless = db.SQL("audit.head", `SELECT seq, hash FROM audit_heads WHERE chain = $1`)

// Verify walks the trail and returns the number of the first row that doesn't fit, 0 when
// all do. A checkpoint kept elsewhere, when given, must be on the trail: its absence means
// that the tail was cut or the whole rewritten, and gives the checkpoint's number.
func Verify(ctx context.Context, tx *db.Tx, checkpoint *Head) (int64, error) {
	head, seq := make([]byte, sha256.Size), int64(0)
	for {
		n, bad := 0, int64(0)
		err := tx.Query(ctx, walkRows, func(scan func(...any) error) error {
			var r Row
			var data string
			var hash []byte
			if err := scanRow(scan, &r, &data, &hash); err != nil {
				return err
			}
			n++
			sum := Sum(head, r, data)
			if bad == 0 && (r.Seq != seq+1 || string(sum) != string(hash)) {
				bad = seq + 1
			}
			if bad == 0 && checkpoint != nil && checkpoint.Seq == r.Seq && checkpoint.Hash != hex.EncodeToString(hash) {
				bad = r.Seq
			}
			head, seq = sum, r.Seq
			return nil
		}, seq, 1000)
		if err != nil || bad != 0 {
			return bad, err
		}
		if n == 0 {
			break
		}
	}
	end, err := End(ctx, tx)
	switch {
	case err != nil:
		return 0, err
	case end.Seq != seq || (seq > 0 && end.Hash != hex.EncodeToString(head)):
		return seq + 1, nil
	case checkpoint != nil && checkpoint.Seq > seq:
		return checkpoint.Seq, nil
	}
	return 0, nil
}

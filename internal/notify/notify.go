// Package notify is how messages reach people. The adapter here is the one for
// development: it writes messages to a table that a page of the console shows. Adapters to
// the outside stand in sub-packages.
package notify

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/id"
)

// Message is one message to one person.
type Message struct {
	ID       id.Notification
	Channel  string // "sms" or "email"
	Target   string // number or address
	Template string // which message it is
	Lang     string
	Subject  string
	// Body is what is said. {link} stands for the link to Order, whose secret isn't stored.
	Body  string
	Order id.Order
	At    time.Time
}

// OneTimeCode is the template of the message that carries a one-time code: whoever reads it
// can sign in as the one it was sent to, or look up their orders.
const OneTimeCode = "code"

// Confidential reports whether a message is for its reader alone: then no face shows it to
// anybody of the staff. Only what is about an order is known to hold no secret, for the
// order's own isn't in it.
func (m Message) Confidential() bool { return m.Template == OneTimeCode || m.Order == "" }

var (
	insertMessage = db.Rows("notify.insert", `INSERT INTO notifications {{values id text, channel text, target text, template text, lang text, subject text, body text, order_id text, state text, at bigint}}`)
	newest        = db.SQL("notify.newest", `SELECT id, channel, target, template, lang, subject, body, order_id, at FROM notifications WHERE (id < $1 OR $1 = '') ORDER BY id DESC LIMIT $2`)
	ofOrder       = db.SQL("notify.of_order", `SELECT id, channel, target, template, lang, subject, body, order_id, at FROM notifications WHERE order_id = $1 AND order_id <> '' ORDER BY id`)
)

// Write delivers messages to the page of the console.
func Write(ctx context.Context, tx *db.Tx, now time.Time, messages ...Message) error {
	return tx.WriteAll(ctx, insertMessage, len(messages), func(i int, b *db.Binder) {
		m := messages[i]
		b.Text(string(id.New[id.Notification]())).Text(m.Channel).Text(m.Target).Text(m.Template).Text(m.Lang).Text(m.Subject).Text(m.Body).
			Text(string(m.Order)).Text("sent").Time(now)
	})
}

func load(ctx context.Context, tx *db.Tx, stmt *db.Stmt, args ...any) ([]Message, error) {
	var out []Message
	err := tx.Query(ctx, stmt, func(scan func(...any) error) error {
		var m Message
		err := scan(&m.ID, &m.Channel, &m.Target, &m.Template, &m.Lang, &m.Subject, &m.Body, &m.Order, db.Time(&m.At))
		out = append(out, m)
		return err
	}, args...)
	return out, err
}

// Newest lists messages, the newest first, from before the one named ("" for all), at most n.
func Newest(ctx context.Context, tx *db.Tx, before id.Notification, n int) ([]Message, error) {
	return load(ctx, tx, newest, before, n)
}

// Of lists the messages about an order.
func Of(ctx context.Context, tx *db.Tx, o id.Order) ([]Message, error) {
	return load(ctx, tx, ofOrder, o)
}

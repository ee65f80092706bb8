package console

import (
	"net/http"
	"strings"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/job"
	"hufu/internal/order"
)

// askGateway asks what became of the order's payment, and books what it says. It may be
// pressed as often as one likes.
func askGateway(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	if err := c.Flows.Poll(v.r.Context(), k); err != nil {
		return err
	}
	if err := v.do(func(tx *db.Tx) error { return v.audit(tx, "order.ask", string(k)) }); err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k), "asked")
}

func cancelOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	var was order.State
	if err := v.view(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err == nil {
			was = o.State
		}
		return err
	}); err != nil {
		return err
	}
	if was != order.Cancelled { // else it was pressed twice
		if err := c.Flows.Cancel(v.r.Context(), k); err != nil {
			if kind := fault.KindOf(err); kind == fault.Conflict {
				return v.orderPage(http.StatusConflict, "", err)
			}
			return err
		}
		if err := v.do(func(tx *db.Tx) error { return v.audit(tx, "order.cancel", string(k)) }); err != nil {
			return err
		}
	}
	return v.leave("/console/orders/"+string(k), "cancelled")
}

// sendLink has the notice with the order's link written once more.
func sendLink(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	err = v.once(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		if o.PaidAt.IsZero() || o.Phone == "" && o.Email == "" {
			return fault.New(fault.Conflict, "console.no_notice")
		}
		if err := job.Enqueue(v.r.Context(), tx, c.now(), job.Job{Kind: flow.JobOrderPaid, Subject: string(k)}); err != nil {
			return err
		}
		return v.audit(tx, "order.resend", string(k))
	})
	if err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k), "sent")
}

// noteOrder keeps a colleague's note on the order's audit trail, where nobody can change it.
func noteOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	note := clip(plainLines(v.f("note")), 1000)
	if note == "" {
		return v.orderPage(http.StatusBadRequest, "", needed("note"))
	}
	err = v.once(func(tx *db.Tx) error {
		if _, err := c.Flows.Orders.One(v.r.Context(), tx, k); err != nil {
			return err
		}
		return v.audit(tx, "order.note", string(k), "note", note)
	})
	if err != nil {
		return err
	}
	return v.leave("/console/orders/"+string(k)+"?done=note-"+string(k), "saved")
}

// unmaskOrder shows the buyer's contact in full: by right, with a reason, on record (S62).
func unmaskOrder(c *Console, v *visit) error {
	k, err := pathID[id.Order](v, "id")
	if err != nil {
		return err
	}
	reason := clip(v.f("reason"), 200)
	if reason == "" {
		return v.orderPage(http.StatusBadRequest, "", fault.New(fault.Invalid, "console.form").At("reason", "identity.reason"))
	}
	contact := ""
	err = v.do(func(tx *db.Tx) error {
		o, err := c.Flows.Orders.One(v.r.Context(), tx, k)
		if err != nil {
			return err
		}
		contact = strings.TrimSpace(o.Phone + " " + o.Email)
		return v.audit(tx, "customer.unmask", string(k), "reason", reason)
	})
	if err != nil {
		return err
	}
	return v.orderPage(http.StatusOK, contact, nil)
}

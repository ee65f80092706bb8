package api

import (
	"context"
	"testing"

	"hufu/internal/db"
	"hufu/internal/flow"
	"hufu/internal/vault"
)

// A kept answer is given again after the keys of its time were rotated and retired (I18).
func TestKeptAnswersOutliveTheKeys(t *testing.T) {
	each(t, func(t *testing.T, r *rig) {
		owner := r.owner()
		q := request{method: "POST", path: "/staff/stocks", key: r.key(), token: owner.token, body: `{"name":"x1","kind":"counted"}`}
		first := r.do(q).want(201, "")
		master, err := vault.OpenKeyFile(r.KeyFile)
		if err != nil {
			t.Fatal(err)
		}
		r.Flows.Keys.Follow(r.Flows.DB, func() (vault.Master, error) { return vault.OpenKeyFile(r.KeyFile) })
		was := r.Flows.Keys.ActiveData()
		for range 2 {
			if err := r.Flows.RotateKeys(t.Context(), flow.Rotation{Purposes: []vault.Purpose{vault.ForData, vault.ForIndex}, Master: master,
				Settle: func(context.Context) error { return nil }, By: "ops", Others: []func(context.Context, *db.Tx) error{r.api.Identity.Reseal}}, nil); err != nil {
				t.Fatal(err)
			}
		}
		if r.Flows.Keys.ActiveData() == was {
			t.Fatal("the key is the same")
		}
		again := r.do(q)
		if again.status != 201 || again.text != first.text || again.header.Get("Idempotent-Replayed") != "true" {
			t.Errorf("%d %s, first %s", again.status, again.text, first.text)
		}
	})
}

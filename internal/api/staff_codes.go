package api

import (
	"context"
	"time"

	"hufu/internal/db"
	"hufu/internal/fault"
	"hufu/internal/flow"
	"hufu/internal/id"
	"hufu/internal/identity"
	"hufu/internal/money"
	"hufu/internal/vault"
)

// Batch is codes that came together.
type Batch struct {
	ID        id.Batch         `json:"id"`
	Stock     id.Stock         `json:"stock"`
	Source    string           `json:"source" enum:"generated,imported"`
	Name      string           `json:"name"`
	Issuer    string           `json:"issuer"`
	Supplier  string           `json:"supplier,omitempty"`
	State     vault.BatchState `json:"state" enum:"filling,ready,undone"`
	Size      int64            `json:"size" doc:"How many it is to have"`
	Stored    int64            `json:"stored"`
	Filling   int64            `json:"filling"`
	Available int64            `json:"available"`
	Delivered int64            `json:"delivered"`
	Voided    int64            `json:"voided"`
	Expired   int64            `json:"expired"`
	Cost      *Money           `json:"cost,omitempty" doc:"Of each code"`
	ExpiresAt *time.Time       `json:"expires_at,omitempty"`
	CreatedAt time.Time        `json:"created_at"`
	CreatedBy string           `json:"created_by"`
}

// Code is what may be seen of a code without revealing it.
type Code struct {
	ID          id.Code         `json:"id"`
	Batch       id.Batch        `json:"batch"`
	Stock       id.Stock        `json:"stock"`
	State       vault.CodeState `json:"state"`
	Last4       string          `json:"last4"`
	Right       id.Right        `json:"right,omitempty"`
	ExpiresAt   *time.Time      `json:"expires_at,omitempty"`
	DeliveredAt *time.Time      `json:"delivered_at,omitempty"`
}

// OpenCode is a code in clear.
type OpenCode struct {
	Code     Code   `json:"about"`
	Text     string `json:"code,omitempty"`
	Serial   string `json:"serial,omitempty"`
	Account  string `json:"account,omitempty"`
	Password string `json:"password,omitempty"`
	Note     string `json:"note,omitempty"`
}

// Generation asks for codes of our own.
type Generation struct {
	Stock      id.Stock   `json:"stock" minLength:"1" maxLength:"40"`
	Name       string     `json:"name" minLength:"1" maxLength:"200"`
	Issuer     string     `json:"issuer" minLength:"1" maxLength:"60"`
	Count      int64      `json:"count" minimum:"1" maximum:"100000000"`
	Prefix     string     `json:"prefix,omitempty" maxLength:"16" doc:"The brand, of A to Z and 0 to 9; no part of the secret"`
	Group      *int64     `json:"group,omitempty" minimum:"0" maximum:"100" doc:"Symbols between two dashes; 0 shows none; 4 if absent"`
	SecretBits int64      `json:"secret_bits,omitempty" minimum:"0" maximum:"1000" doc:"Random bits of each code, at least; if absent 80, and 128 for machines"`
	Machine    bool       `json:"machine,omitempty" doc:"Nobody types these codes, which travel in links and between systems: they have 128 random bits or more"`
	Cost       *Price     `json:"cost,omitempty"`
	ExpiresAt  *time.Time `json:"expires_at,omitempty"`
}

// Voiding takes codes out of sale.
type Voiding struct {
	Codes  []id.Code `json:"codes" minItems:"1" maxItems:"1000" maxLength:"40"`
	Reason string    `json:"reason" minLength:"1" maxLength:"200"`
}

// Reason says why; it is kept in the audit trail.
type Reason struct {
	Reason string `json:"reason" minLength:"1" maxLength:"200"`
}

// CodeText is a code as somebody typed it.
type CodeText struct {
	Text string `json:"text" minLength:"1" maxLength:"600"`
}

// BatchRef names a batch.
type BatchRef struct {
	Batch id.Batch `path:"batch" maxLength:"40"`
}

type batchesInput struct {
	Paging
	Stock id.Stock `query:"stock" maxLength:"40"`
}

type batchCodesInput struct {
	Paging
	BatchRef
}

type generateInput struct{ Body Generation }
type voidInput struct{ Body Voiding }
type findInput struct{ Body CodeText }

type openInput struct {
	Code id.Code `path:"code" maxLength:"40"`
	Body Reason
}

func (a *API) staffCodes() {
	operation(a, "list-batches", a.listBatches)
	operation(a, "get-batch", func(ctx context.Context, _ *Call, in *BatchRef) (*Batch, error) { return a.batch(ctx, in.Batch) })
	operation(a, "list-batch-codes", a.batchCodes)
	operation(a, "generate-codes", a.generate)
	operation(a, "resume-batch", a.resumeBatch)
	operation(a, "undo-batch", a.undoBatch)
	operation(a, "void-codes", a.voidCodes)
	operation(a, "find-code", a.findCode)
	operation(a, "staff-reveal-code", a.openCode)
	once(a, "allow-reveals", a.allowReveals)
}

func showBatch(b *vault.Batch) Batch {
	n := b.Counts
	out := Batch{ID: b.ID, Stock: b.Stock, Source: b.Source, Name: b.Name, Issuer: b.Issuer, Supplier: b.Supplier, State: b.State, Size: b.Size,
		Stored: n.Stored, Filling: n.Filling, Available: n.Available, Delivered: n.Delivered, Voided: n.Voided, Expired: n.Expired,
		ExpiresAt: timeIf(b.ExpiresAt), CreatedAt: b.CreatedAt, CreatedBy: b.CreatedBy}
	if b.Cost.Currency != "" {
		m := moneyOf(b.Cost)
		out.Cost = &m
	}
	return out
}

func showCode(s vault.Shown) Code {
	return Code{s.ID, s.Batch, s.Stock, s.State, s.Last4, s.Right, timeIf(s.ExpiresAt), timeIf(s.DeliveredAt)}
}

func (a *API) listBatches(ctx context.Context, c *Call, in *batchesInput) (*Page[Batch], error) {
	before, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []*vault.Batch
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		var err error
		found, err = vault.Batches(ctx, tx, in.Stock, id.Batch(before), int(in.Limit)+1)
		return err
	})
	return pageOf(c, in.Paging, found, func(b *vault.Batch) string { return string(b.ID) }, showBatch), err
}

func (a *API) batch(ctx context.Context, batch id.Batch) (*Batch, error) {
	var out Batch
	err := a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		b, err := vault.BatchByID(ctx, tx, batch)
		if err == nil {
			out = showBatch(b)
		}
		return err
	})
	return &out, err
}

func (a *API) batchCodes(ctx context.Context, c *Call, in *batchCodesInput) (*Page[Code], error) {
	after, err := in.after(c)
	if err != nil {
		return nil, err
	}
	var found []vault.Shown
	err = a.Flows.DB.View(ctx, func(tx *db.Tx) error {
		b, err := vault.BatchByID(ctx, tx, in.Batch)
		if err == nil {
			found, err = vault.CodesOf(ctx, tx, b, id.Code(after), int(in.Limit)+1)
		}
		return err
	})
	return pageOf(c, in.Paging, found, func(s vault.Shown) string { return string(s.ID) }, showCode), err
}

// generate makes the batch and answers; its codes are made meanwhile, and come on sale as
// they are. A process that ends leaves the batch filling, to be gone on with or undone.
func (a *API) generate(ctx context.Context, c *Call, in *generateInput) (*Batch, error) {
	b := in.Body
	g := flow.Generate{Stock: b.Stock, Name: b.Name, Issuer: b.Issuer, Count: b.Count, Format: vault.DefaultFormat, By: c.party(), Origin: c.address()}
	g.Format.Prefix = b.Prefix
	if b.Group != nil {
		g.Format.Group = int(*b.Group)
	}
	if g.Format.Machine = b.Machine; b.Machine {
		g.Format.SecretBits = vault.MachineSecretBits
	}
	if b.SecretBits != 0 {
		g.Format.SecretBits = int(b.SecretBits)
	}
	if b.Cost != nil {
		if g.Cost = money.Of(b.Cost.Minor, money.Currency(b.Cost.Currency)); !g.Cost.Currency.Known() {
			return nil, fault.New(fault.Invalid, "request.invalid").At("cost.currency", "catalogue.currency")
		}
	}
	if b.ExpiresAt != nil {
		g.Expires = *b.ExpiresAt
	}
	var out Batch
	g.Also = func(tx *db.Tx, made *vault.Batch) error {
		out = showBatch(made)
		return a.also(ctx, tx, c, &out)
	}
	made, err := a.Flows.BeginGenerate(ctx, g)
	if err != nil {
		return nil, err
	}
	a.fill(ctx, made.ID)
	return &out, nil
}

// fill makes a batch's codes after the request was answered.
func (a *API) fill(ctx context.Context, batch id.Batch) {
	ctx = context.WithoutCancel(ctx)
	go func() {
		if _, err := a.Flows.ResumeGenerate(ctx, batch, nil); err != nil {
			a.Log.Error("codes could not all be generated; the batch can be gone on with or undone", "batch", batch, "error", err)
		}
	}()
}

func (a *API) resumeBatch(ctx context.Context, _ *Call, in *BatchRef) (*Batch, error) {
	out, err := a.batch(ctx, in.Batch)
	if err != nil {
		return nil, err
	}
	if out.Source == vault.Generated && out.State == vault.Ready {
		return out, nil // all are made
	}
	if out.Source != vault.Generated || out.State != vault.Filling {
		return nil, fault.New(fault.Conflict, "vault.batch_not_filling")
	}
	a.fill(ctx, in.Batch)
	return out, nil
}

func (a *API) undoBatch(ctx context.Context, c *Call, in *BatchRef) (*Batch, error) {
	was, err := a.batch(ctx, in.Batch)
	if err != nil || was.State == vault.Undone {
		return was, err
	}
	if err := a.Flows.UndoBatch(ctx, in.Batch, c.party(), c.address()); err != nil {
		return nil, err
	}
	return a.batch(ctx, in.Batch)
}

func (a *API) voidCodes(ctx context.Context, c *Call, in *voidInput) (*none, error) {
	err := a.Flows.VoidCodes(ctx, flow.VoidCodes{Codes: in.Body.Codes, Reason: in.Body.Reason, By: c.party(), Origin: c.address()})
	if fault.CodeOf(err) != "vault.code_void" {
		return nil, err
	}
	again := true // all of them are void, as they were to be
	if looked := a.Flows.DB.Do(ctx, func(tx *db.Tx) error {
		found, err := vault.LockCodes(ctx, tx, in.Body.Codes)
		again = true
		for _, s := range found {
			again = again && s.State == vault.CodeVoid
		}
		return err
	}); looked != nil {
		return nil, looked
	}
	if again {
		return nil, nil
	}
	return nil, err
}

func (a *API) findCode(ctx context.Context, _ *Call, in *findInput) (*Page[Code], error) {
	found, err := a.Flows.FindCode(ctx, in.Body.Text)
	out := &Page[Code]{Items: make([]Code, len(found))}
	for i, s := range found {
		out.Items[i] = showCode(s)
	}
	return out, err
}

func (a *API) allowReveals(ctx context.Context, tx *db.Tx, c *Call, in *partyReasonInput) (*none, error) {
	if _, err := a.partyOf(ctx, tx, in.Party, identity.Staff); err != nil {
		return nil, err
	}
	return new(none), a.Flows.AllowReveals(ctx, tx, flow.AllowReveals{Party: string(in.Party), Reason: in.Body.Reason, By: c.party(), Origin: c.address()})
}

func (a *API) openCode(ctx context.Context, c *Call, in *openInput) (*OpenCode, error) {
	s, r, err := a.Flows.RevealCode(ctx, flow.RevealCode{Code: in.Code, Reason: in.Body.Reason, By: c.party(), Origin: c.address()})
	if err != nil {
		return nil, err
	}
	return &OpenCode{showCode(s), string(r.Code), string(r.Serial), string(r.Account), string(r.Password), string(r.Note)}, nil
}
